"""A FHIR server that lets in who bears a token that an authorization server knows; what it does is a real server's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.smart.issuers import Issuer
from tests.sync.proxy import Asked, Proxy, Told

_NO = b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "login"}]}'


class Guard(Proxy):
    """`bearers`: the tokens that came, each once, in their order; `before`: what happens before a request is looked at."""

    def __init__(self, upstream: str, issuer: Issuer) -> None:
        super().__init__(upstream)
        self._issuer = issuer
        self.bearers: list[str] = []
        self.before: Callable[[Asked], object] = lambda _: None

    def _forward(self, asked: Asked) -> Told:
        self.before(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.bearers:
            self.bearers.append(token)
        if not token or not self._issuer.knows(token):
            return Told(401, _NO, {"Content-Type": "application/fhir+json", "WWW-Authenticate": "Bearer"})
        rest = {name: value for name, value in asked.headers.items() if name != "authorization"}
        return super()._forward(replace(asked, headers=rest))
