"""The service over HTTP: `/v1`, the FHIR face under `/fhir`, health, and the documents that describe them."""

from adapter.api.app import create_app

__all__ = ["create_app"]
