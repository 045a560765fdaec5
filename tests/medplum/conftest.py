"""A server of another make, and adapters beside it."""

from __future__ import annotations

from tests.hapi.conftest import tag
from tests.medplum.servers import medplum, medplum_transactions
from tests.sync.conftest import sites

__all__ = ["medplum", "medplum_transactions", "sites", "tag"]
