"""Authorization servers of other makes, as a test of ours uses them: a client is registered there by its public key.

Both are real: what they refuse is for them to say.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import requests

Tree = dict[str, Any]
SCOPES = ("system/*.read", "system/*.write", "system/*.cruds")
_SECONDS = 30


class Issuer(ABC):
    """`token_url`, `introspection_url` and `revocation_url` are its own; a token of it lives for `seconds`."""

    token_url: str
    introspection_url: str
    revocation_url: str
    seconds: int

    def __init__(self) -> None:
        self._guard: tuple[str, str] = self._introspecting()

    @abstractmethod
    def register(self, algorithm: str, keys: Sequence[Tree]) -> str:
        """A new client that signs by one of these public keys; its id."""

    @abstractmethod
    def rotate(self, client_id: str, keys: Sequence[Tree]) -> None:
        """From now on these are its keys."""

    @abstractmethod
    def _introspecting(self) -> tuple[str, str]:
        """Id and secret of a client that may ask about tokens."""

    def knows(self, token: str) -> bool:
        """Whether it says that a token of it is good now. https://www.rfc-editor.org/rfc/rfc7662"""
        answer = requests.post(self.introspection_url, data={"token": token}, auth=self._guard, timeout=_SECONDS)
        answer.raise_for_status()
        return bool(answer.json()["active"])

    def revoke(self, token: str, statement: str) -> None:
        """Takes a token back, as its client may. https://www.rfc-editor.org/rfc/rfc7009"""
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {"token": token, "client_assertion": statement, "client_assertion_type": kind}
        requests.post(self.revocation_url, data=form, timeout=_SECONDS).raise_for_status()


class OidcProvider(Issuer):
    """oidc-provider, by the protocol in which clients register themselves: https://www.rfc-editor.org/rfc/rfc7591"""

    def __init__(self, base: str, seconds: int) -> None:
        self.seconds, self._base = seconds, base
        self._clients: dict[str, Tree] = {}
        self.token_url, self.revocation_url = f"{base}/token", f"{base}/token/revocation"
        self.introspection_url = f"{base}/token/introspection"
        super().__init__()

    def register(self, algorithm: str, keys: Sequence[Tree]) -> str:
        signed = {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": algorithm}
        made = self._new({**signed, "jwks": {"keys": list(keys)}, "scope": " ".join(SCOPES)})
        return str(made["client_id"])

    def rotate(self, client_id: str, keys: Sequence[Tree]) -> None:
        known = self._clients[client_id]
        own = {
            "registration_access_token",
            "registration_client_uri",
            "client_id_issued_at",
            "client_secret_expires_at",
        }
        tree = {name: value for name, value in known.items() if name not in own} | {"jwks": {"keys": list(keys)}}
        headers = {"Authorization": f"Bearer {known['registration_access_token']}"}
        requests.put(known["registration_client_uri"], json=tree, headers=headers, timeout=_SECONDS).raise_for_status()

    def _introspecting(self) -> tuple[str, str]:
        made = self._new({"token_endpoint_auth_method": "client_secret_basic"})
        return made["client_id"], made["client_secret"]

    def _new(self, more: Tree) -> Tree:
        tree = {"grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [], **more}
        answer = requests.post(f"{self._base}/reg", json=tree, timeout=_SECONDS)
        answer.raise_for_status()
        made: Tree = answer.json()
        self._clients[made["client_id"]] = made
        return made


_FOR_THE_GUARD: Tree = {
    "name": "audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
    "config": {"included.client.audience": "guard", "access.token.claim": "true", "introspection.token.claim": "true"},
}  # fmt: skip


class Keycloak(Issuer):
    """A realm of a Keycloak of its own, by its administrators' interface."""

    def __init__(self, base: str, admin: tuple[str, str], realm: str, seconds: int) -> None:
        self.seconds, self._base, self._admin, self._realm = seconds, base, admin, realm
        self.token_url = f"{base}/realms/{realm}/protocol/openid-connect/token"
        self.introspection_url = f"{self.token_url}/introspect"
        self.revocation_url = self.token_url.removesuffix("token") + "revoke"
        self._ask("POST", "", {"realm": realm, "enabled": True, "accessTokenLifespan": seconds})
        for scope in SCOPES:
            # About a token is told to those whom it is for.
            made = {"name": scope, "protocol": "openid-connect", "protocolMappers": [_FOR_THE_GUARD]}
            self._ask("POST", f"/{realm}/client-scopes", made)
        super().__init__()

    def register(self, algorithm: str, keys: Sequence[Tree]) -> str:
        id_ = f"us-{algorithm}-{len(self._found())}"
        signed = {"token.endpoint.auth.signing.alg": algorithm, **_registered(keys)}
        more = {"clientAuthenticatorType": "client-jwt", "attributes": signed, "optionalClientScopes": list(SCOPES)}
        self._new(id_, **more)
        return id_

    def rotate(self, client_id: str, keys: Sequence[Tree]) -> None:
        (known,) = (one for one in self._found() if one["clientId"] == client_id)
        tree = {**known, "attributes": {**known["attributes"], **_registered(keys)}}
        self._ask("PUT", f"/{self._realm}/clients/{known['id']}", tree)

    def _introspecting(self) -> tuple[str, str]:
        self._new("guard", secret="of-the-guard", clientAuthenticatorType="client-secret")
        return "guard", "of-the-guard"

    def _new(self, id_: str, **more: Any) -> None:
        tree = {
            "clientId": id_, "enabled": True, "publicClient": False, "standardFlowEnabled": False,
            "serviceAccountsEnabled": True, **more,
        }  # fmt: skip
        self._ask("POST", f"/{self._realm}/clients", tree)

    def _found(self) -> list[Tree]:
        found: list[Tree] = self._ask("GET", f"/{self._realm}/clients").json()
        return found

    def _ask(self, method: str, path: str, tree: Tree | None = None) -> requests.Response:
        form = {"grant_type": "password", "client_id": "admin-cli"}
        form |= {"username": self._admin[0], "password": self._admin[1]}
        url = f"{self._base}/realms/master/protocol/openid-connect/token"
        token = requests.post(url, data=form, timeout=_SECONDS).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(
            method, f"{self._base}/admin/realms{path}", json=tree, headers=headers, timeout=_SECONDS
        )
        answer.raise_for_status()
        return answer


def _registered(keys: Sequence[Tree]) -> dict[str, str]:
    return {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": list(keys)})}
