"""The Questionnaire of a first pack: the provider's own, where one is given, with a group for what it does not ask.

https://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapter.errors import UsageError
from adapter.services.scaffold import hints
from adapter.services.scaffold.fields import Field

Tree = dict[str, Any]
_TYPES = {
    "boolean": ("boolean", "valueBoolean"),
    "integer": ("integer", "valueInteger"),
    "decimal": ("decimal", "valueDecimal"),
    "date": ("date", "valueDate"),
    "dateTime": ("dateTime", "valueDateTime"),
    "string": ("text", "valueString"),
    "text": ("text", "valueString"),
}


@dataclass(frozen=True, slots=True)
class Own:
    """A question of the provider's own form; `step` leads to it from the response."""

    link_id: str
    step: str
    type_: str
    options: tuple[Tree, ...] = ()

    def keys(self, found: Field) -> Tree | None:
        """The FHIR side of a rule for a field, or None where the answer cannot be one of it."""
        if self.type_ in ("choice", "open-choice"):
            return self._choice(found)
        wanted, value = _TYPES.get(self.type_, ("", ""))
        if found.many or found.type_ != wanted:
            return None
        return {"fhir": f"{self.step}.answer[!].{value}"}

    def _choice(self, found: Field) -> Tree | None:
        systems = {option.get("system") for option in self.options}
        codes = {option["code"]: option["code"] for option in self.options}
        words = {option["display"]: option["code"] for option in self.options if option.get("display")}
        system = next(iter(systems)) if len(systems) == 1 else None
        table = next((table for table in (codes, words) if set(found.values) <= table.keys()), None)
        whole = table is not None and len(set(table.values())) == len(table)
        if not isinstance(system, str) or not _fits(system) or found.type_ != "text" or found.many or not whole:
            return None
        found.values, found.via = tuple(table or ()), "values"
        return {"fhir": f"{self.step}.answer[!].valueCoding(system={system}).code", "values": table}


def _fits(system: str) -> bool:
    """Whether a URL can stand in a selector."""
    return not set(system) & set(",=()[] ")


def own_items(form: Tree) -> dict[str, Own]:
    """The questions of a form that are asked once, by the plain names of their linkId and text."""
    found: dict[str, Own] = {}
    for item, step in _walk(form.get("item"), ""):
        link_id, options = item["linkId"], item.get("answerOption", [])
        codings = [
            row["valueCoding"] for row in options if isinstance(row, dict) and _is_coding(row.get("valueCoding"))
        ]
        own = Own(link_id, step, str(item.get("type")), tuple(codings))
        for name in (link_id, link_id.rpartition(".")[2], str(item.get("text", ""))):
            if hints.plain(name):
                found.setdefault(hints.plain(name), own)
    return found


def _is_coding(coding: Any) -> bool:
    return isinstance(coding, dict) and isinstance(coding.get("code"), str)


def _walk(items: Any, above: str) -> Iterator[tuple[Tree, str]]:
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict) or not isinstance(item.get("linkId"), str) or not _fits(item["linkId"]):
            continue
        step = f"{above}item[linkId={item['linkId']}]"
        if item.get("type") == "group":
            if not item.get("repeats"):
                yield from _walk(item.get("item"), f"{step}.")
        elif not item.get("repeats"):
            yield item, step


def form_of(url: str, title: str, items: list[Tree], given: Tree | None) -> Tree:
    """The Questionnaire of the pack; the provider's own stays as it is where it asks for everything."""
    if given is None:
        return {
            "resourceType": "Questionnaire",
            "url": url,
            "version": "1.0.0",
            "title": title,
            "status": "draft",
            "subjectType": ["Patient"],
            "item": items,
        }
    if given.get("resourceType") != "Questionnaire":
        raise UsageError("This is not a Questionnaire.", place="--questionnaire")
    named = isinstance(given.get("url"), str)
    if not items and named:
        return {**given, "version": str(given.get("version", "1.0.0"))}
    source = [f"{given['url']}|{given['version']}" if "version" in given else given["url"]] if named else []
    asked = given.get("item")
    rest = [{"linkId": "not-asked", "text": "What the form does not ask", "type": "display"}, *items] if items else []
    made = {**given, "url": url, "version": "1.0.0", "item": [*(asked if isinstance(asked, list) else []), *rest]}
    return {**made, **({"derivedFrom": source} if source else {})}
