"""The command `careplan`."""

from __future__ import annotations

from adapter.cli.app import main

__all__ = ["main"]
