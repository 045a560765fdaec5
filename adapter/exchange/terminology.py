"""`HttpTerminologyServer`: $validate-code, each question asked once. https://hl7.org/fhir/R4/terminology-service.html"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from adapter.errors import DataError, ServerRefused, Unavailable
from adapter.exchange.server import HttpFhirServer
from adapter.ports import Clock, Code, CodeVerdict, SystemClock, Tree

# Answers that are kept, and seconds for which a server that did not answer is left alone.
KEPT, REST = 10_000, 30.0


class HttpTerminologyServer:
    """Answers `adapter.ports.TerminologyServer` by a FHIR server; safe to share between threads.

    `gate` gets the resource that a code stands in before any code of it is sent, and raises Refused where nothing of it
    may leave. At most `most` new questions are asked for one resource.
    """

    def __init__(
        self, server: HttpFhirServer, gate: Callable[[Tree], object], *, clock: Clock | None = None, most: int = 200
    ) -> None:
        self._server = server
        self._gate = gate
        self._clock = clock or SystemClock()
        self._most = most
        self._known: OrderedDict[Code, CodeVerdict | None] = OrderedDict()
        self._rest_until = 0.0
        self._lock = Lock()

    def verdicts(self, source: Tree, codes: Sequence[Code]) -> list[CodeVerdict | None]:
        self._gate(source)
        new = [code for code in dict.fromkeys(codes) if code not in self._known][: self._most]
        for code in new:
            self._keep(code, self._ask(code))
        with self._lock:
            return [self._known.get(code) for code in codes]

    def _keep(self, code: Code, verdict: CodeVerdict | None) -> None:
        with self._lock:
            self._known[code] = verdict
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _ask(self, code: Code) -> CodeVerdict | None:
        """None where the server knows no such system or value set; its failure says nothing of the code."""
        if self._clock.monotonic() < self._rest_until:
            raise Unavailable("The terminology server did not answer a moment ago.", place=self._server.base)
        try:
            found = self._server.operation(_path(code), _parameters(code))
        except (ServerRefused, DataError):
            return None
        except Unavailable:
            self._rest_until = self._clock.monotonic() + REST
            raise
        return _verdict(found)


def _path(code: Code) -> str:
    return "ValueSet/$validate-code" if code.value_set else "CodeSystem/$validate-code"


def _parameters(code: Code) -> Tree:
    named = {"url": code.value_set, "system": code.system} if code.value_set else {"url": code.system}
    rows: list[Tree] = [{"name": name, "valueUri": value} for name, value in named.items()]
    return {"resourceType": "Parameters", "parameter": [*rows, {"name": "code", "valueCode": code.code}]}


def _verdict(tree: Tree) -> CodeVerdict | None:
    """The answer; None where the server says that it does not know the system or the value set at all."""
    rows = {row.get("name"): row for row in tree.get("parameter") or [] if isinstance(row, dict)}
    valid = rows.get("result", {}).get("valueBoolean")
    if not isinstance(valid, bool) or (not valid and _unknown(rows)):
        return None
    display = rows.get("display", {}).get("valueString")
    return CodeVerdict(valid, display if isinstance(display, str) else "")


def _unknown(rows: dict[object, Tree]) -> bool:
    if "x-caused-by-unknown-system" in rows or "x-unknown-system" in rows:
        return True
    message = rows.get("message", {}).get("valueString")
    if isinstance(message, str) and "unable to provide validation" in message:
        # What HAPI says of a system that it does not have.
        return True
    outcome = rows.get("issues", {}).get("resource")
    issues = outcome.get("issue") if isinstance(outcome, dict) else None
    return isinstance(issues, list) and any(isinstance(row, dict) and row.get("code") == "not-found" for row in issues)
