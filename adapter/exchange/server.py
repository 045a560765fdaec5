"""`HttpFhirServer`: FHIR's RESTful API over HTTP. https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self
from urllib.parse import urlencode

from adapter import __version__, fhir_json
from adapter.errors import DataError, Gone, NotFound, ServerRefused, Unavailable, UnknownOutcome, UsageError
from adapter.exchange.answers import error_of, not_fhir, tree_of
from adapter.exchange.auth import ClientCertificate, Credentials
from adapter.exchange.capability import capability_of
from adapter.exchange.limits import Limits
from adapter.exchange.links import checked_base
from adapter.exchange.pacing import Pace
from adapter.exchange.paging import count_of, pages, whole
from adapter.exchange.transport import Answer, Request, Transport
from adapter.exchange.wire import (
    condition_of,
    date_of,
    entries_of,
    is_id,
    located,
    method_of,
    outcome_of,
    path_of,
    resources_of,
    stamp_of,
    type_of,
    version_of,
    versioned,
)
from adapter.ports import Capability, Clock, Rows, SystemClock, Tree, Versioned

USER_AGENT = f"careplan-adapter/{__version__}"

_JSON = {"Content-Type": "application/fhir+json; charset=utf-8"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# HAPI answers a search from a minute ago otherwise, also where it found nothing.
_FRESH = {"Cache-Control": "no-cache"}
_WHOLE = {"Prefer": "return=representation"}


class HttpFhirServer:
    """A FHIR R4 server at `base`; answers `adapter.ports.FhirServer`, which says what each call raises.

    `gate` gets every tree before it is sent and gives what may leave, or raises Refused. `pace` is shared by all that
    talk to this server. Use it as a context manager, or `close()` it, to end the connections that it keeps.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that may be told of a server
        self,
        base: str,
        *,
        auth: Credentials | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
        user_agent: str = USER_AGENT,
        gate: Callable[[Tree], Tree] | None = None,
        tls: ClientCertificate | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.base = checked_base(base)
        self.limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._gate = gate
        self._capability: Capability | None = None
        self._http = Transport(
            self.base, auth=auth, clock=self._clock, limits=self.limits, user_agent=user_agent, tls=tls, pace=pace
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HttpFhirServer({self.base!r})"

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def capability(self) -> Capability:
        if self._capability is None:
            answer = self._ask("GET", "metadata")
            try:
                tree = self._resource(answer, "CapabilityStatement")
            except (NotFound, Gone):
                raise not_fhir(answer, "There is no FHIR server at this address.") from None
            self._capability = capability_of(tree, answer.place)
        return self._capability

    def read(self, type_: str, id_: str) -> Versioned:
        return self._one(self._ask("GET", path_of(type_, id_)), type_, id_)

    def vread(self, type_: str, id_: str, version: str) -> Versioned:
        return self._one(self._ask("GET", f"{path_of(type_, id_)}/_history/{version_of(version)}"), type_, id_)

    def search(self, type_: str, params: Mapping[str, str | Sequence[str]]) -> Iterator[Rows]:
        """Matches and what was asked to be included with them, a page at a time; never the server's own remarks.

        A page that cannot be had raises, after the pages before it were given. Of a server that does not page, all is asked.
        """
        date = ""

        def ask(count: int) -> Iterator[Tree]:
            nonlocal date
            answer = self._searched(path_of(type_), {**params, "_count": str(count)} if count else params)
            date = date_of(answer)
            return self._pages(answer, "searchset")

        for page in whole(ask, count_of(params), place=f"GET {self.base}/{type_}"):
            yield Rows(map(versioned, resources_of(page)), stamp_of(page) or date)
            date = ""

    def _searched(self, path: str, params: Mapping[str, str | Sequence[str]]) -> Answer:
        query = urlencode(params, doseq=True)
        if len(query) > self.limits.query:
            return self._ask("POST", f"{path}/_search", body=query.encode(), headers={**_FORM, **_FRESH})
        return self._ask("GET", path, query=query, headers=_FRESH)

    def history(self, type_: str, id_: str | None = None, *, since: str | None = None) -> Iterator[list[Tree]]:
        query = urlencode({"_since": since}) if since else ""
        answer = self._ask("GET", f"{path_of(type_, id_)}/_history", query=query, headers=_FRESH)
        for page in self._pages(answer, "history"):
            yield entries_of(page)

    def create(self, resource: Tree, *, if_none_exist: str | None = None) -> Versioned:
        path = path_of(type_of(resource))
        headers = {**_JSON, **_WHOLE}
        if if_none_exist is not None:
            headers["If-None-Exist"] = condition_of(if_none_exist)
        answer = self._ask("POST", path, tree=resource, headers=headers, write=True)
        try:
            return self._written(answer, resource, no_codes="refused" if answer.status == 412 else "conflict")
        except (NotFound, Gone) as error:
            raise _no_place(answer, error) from None

    def update(self, resource: Tree, *, if_match: str | None = None) -> Versioned:
        headers = {**_JSON, **_WHOLE}
        if if_match is not None:
            headers["If-Match"] = f'W/"{version_of(if_match)}"'
        path = path_of(type_of(resource), str(resource.get("id", "")))
        answer = self._ask("PUT", path, tree=resource, headers=headers, write=True)
        found = self._written(answer, resource)
        if found.resource["id"] != resource["id"]:
            raise not_fhir(answer, "The server answered a write with another resource than was written.")
        return found

    def delete(self, type_: str, id_: str) -> None:
        answer = self._ask("DELETE", path_of(type_, id_), write=True)
        error = self._error(answer, no_codes="refused")
        if error is not None and not isinstance(error, (NotFound, Gone)):
            raise error

    def transaction(self, bundle: Tree) -> Tree:
        """POST of a transaction or batch; the response Bundle, in which answers may be fewer than requests."""
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in {"transaction", "batch"}:
            raise UsageError("Only a Bundle of type transaction or batch can be sent as one.")
        answer = self._ask("POST", "", tree=bundle, headers={**_JSON, **_WHOLE}, write=True)
        deletes = any(method_of(entry) == "DELETE" for entry in entries_of(bundle))
        try:
            tree = self._resource(answer, "Bundle", no_codes="refused" if deletes else "conflict")
        except (NotFound, Gone) as error:
            raise _no_place(answer, error) from None
        if tree.get("type") != f"{bundle['type']}-response":
            raise not_fhir(answer, "The server answered a transaction with another kind of Bundle.")
        return tree

    def validate(self, resource: Tree, *, profile: str | None = None) -> Tree:
        path = f"{path_of(type_of(resource))}/$validate"
        query = urlencode({"profile": profile}) if profile else ""
        answer = self._ask("POST", path, query=query, tree=resource, headers=_JSON)
        tree = tree_of(answer, self.limits)
        # Some servers give their verdict with a status that says "invalid".
        if answer.status in {200, 412, 422} and (outcome := outcome_of(tree)) is not None:
            return outcome
        if (error := self._error(answer, no_codes="refused")) is not None:
            raise error
        raise not_fhir(answer, "The server answered $validate without an OperationOutcome.")

    def operation(self, path: str, parameters: Tree) -> Tree:
        """An operation that changes nothing, by POST of a Parameters resource; the Parameters that it gives."""
        answer = self._ask("POST", path, tree=parameters, headers=_JSON)
        return self._resource(answer, "Parameters", no_codes="refused")

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        tree: Tree | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        write: bool = False,
    ) -> Answer:
        if tree is not None:
            body = fhir_json.dumps(tree if self._gate is None else self._gate(tree))
        url = f"{self.base}/{path}" if path else self.base
        place = f"{method} {url}"
        full = f"{url}?{query}" if query else url
        return self._http.send(Request(method, full, place, write, body, headers or {}))

    def _error(self, answer: Answer, *, no_codes: str = "conflict") -> Exception | None:
        return error_of(answer, self.limits, self._clock, no_codes=no_codes)

    def _resource(self, answer: Answer, type_: str, *, no_codes: str = "conflict") -> Tree:
        """The resource of that type in the answer; raises the error that it stands for."""
        if (error := self._error(answer, no_codes=no_codes)) is not None:
            raise error
        tree = tree_of(answer, self.limits)
        if tree is None:
            raise not_fhir(answer)
        if tree["resourceType"] != type_:
            raise not_fhir(answer, "The server answered with another type of resource than it was asked for.")
        return tree

    def _one(self, answer: Answer, type_: str, id_: str) -> Versioned:
        tree = self._resource(answer, type_)
        if tree.get("id") != id_:
            raise not_fhir(answer, "The server answered with another resource than it was asked for.")
        return versioned(tree, answer)

    def _written(self, answer: Answer, sent: Tree, *, no_codes: str = "conflict") -> Versioned:
        if (error := self._error(answer, no_codes=no_codes)) is not None:
            raise error
        type_ = type_of(sent)
        if answer.body.strip():
            tree = self._resource(answer, type_)
            if not is_id(tree.get("id")):
                raise not_fhir(answer, "The server answered a write with a resource that has no id.")
            return versioned(tree, answer)
        # A server may keep the body back, whatever we prefer: then it is read.
        id_ = located(answer, type_) or sent.get("id")
        if not is_id(id_):
            raise not_fhir(answer, "The server did not say what came of a write.")
        try:
            return self.read(type_, id_)
        except (Unavailable, DataError, ServerRefused) as error:
            message = "A write was accepted, but what came of it could not be read."
            raise UnknownOutcome(message, place=answer.place, retry_after=getattr(error, "retry_after", None)) from None

    def _pages(self, answer: Answer, kind: str) -> Iterator[Tree]:
        first = self._bundle(answer, kind)
        return pages(
            first, lambda url: self._page(url, answer.place, kind),
            base=self.base, place=answer.place, limits=self.limits, clock=self._clock,
        )  # fmt: skip

    def _page(self, url: str, place: str, kind: str) -> Tree:
        return self._bundle(self._http.send(Request("GET", url, f"{place} (next page)", headers=_FRESH)), kind)

    def _bundle(self, answer: Answer, kind: str) -> Tree:
        tree = self._resource(answer, "Bundle")
        if tree.get("type") != kind:
            raise not_fhir(answer, f"The server answered with a Bundle that is no {kind}.")
        return tree


def _no_place(answer: Answer, error: DataError) -> ServerRefused:
    """A create or a transaction has no resource that could be absent: 404 and 410 mean something that it names."""
    return ServerRefused(
        f"The server refused the request (HTTP status {answer.status}).",
        status=answer.status,
        issues=error.issues,
        place=answer.place,
    )
