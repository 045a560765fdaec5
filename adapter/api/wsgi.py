"""The application as a server imports it."""

from __future__ import annotations

from adapter.api.app import create_app
from adapter.bootstrap import Services

app = create_app(Services())
