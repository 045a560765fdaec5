"""A FHIR server over HTTP: `HttpFhirServer` answers `adapter.ports.FhirServer`.

Every call has a total deadline and a cap on bytes, follows no redirect, keeps to the server's own origin and base path,
and reads every answer through `adapter.fhir_json`. https://hl7.org/fhir/R4/http.html
"""

from adapter.exchange.auth import BasicAuth, BearerToken, ClientCertificate, Credentials
from adapter.exchange.limits import Limits
from adapter.exchange.pacing import Pace
from adapter.exchange.server import HttpFhirServer
from adapter.exchange.smart import SmartBackend, SmartClient

__all__ = [
    "BasicAuth",
    "BearerToken",
    "ClientCertificate",
    "Credentials",
    "HttpFhirServer",
    "Limits",
    "Pace",
    "SmartBackend",
    "SmartClient",
]
