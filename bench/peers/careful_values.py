"""What values of FHIR say, by hand: ids, names of persons, codes. Whatever the shape, nothing fails."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import canonical
from adapter.identity import IDENTIFIER_SYSTEM, content_id, foreign_record_id
from bench.peers.careful_tables import CODING, LOCAL, Codes

Tree = dict[str, Any]


def own_id(tree: Tree) -> str | None:
    """The value of our identifier on a resource or Reference."""
    found = tree.get("identifier")
    for identifier in found if type(found) is list else (found,):
        if type(identifier) is dict and identifier.get("system") == IDENTIFIER_SYSTEM:
            value = identifier.get("value")
            if type(value) is str and value:
                return value
    return None


def contained_id(resource: Tree, outer: str) -> str:
    """The id of a record that is contained in another's resource."""
    own = own_id(resource)
    return own or foreign_record_id(outer, str(resource.get("resourceType")), f"#{resource['id']}{resource['id']}")


def is_of(extension: Any, url: str) -> bool:
    """Whether it is an extension of that URL."""
    return type(extension) is dict and extension.get("url") == url


def first(extensions: Any, url: str) -> Tree | None:
    """The first extension of that URL."""
    for extension in extensions if type(extensions) is list else ():
        if type(extension) is dict and extension.get("url") == url:
            return extension
    return None


def elements(rows: Any, read: Any) -> list[Tree]:
    """The items of an array of elements, each with its id."""
    found, seen = [], dict[Any, int]()
    for row in rows if type(rows) is list else ():
        if type(row) is dict:
            item = {"id": element_id(row, seen)}
            read(row, item)
            if len(item) > 1:
                found.append(item)
    return found


def element_id(element: Tree, seen: dict[Any, int]) -> str:
    """The id of an element, or one that is made of what it holds."""
    own = element.get("id")
    if type(own) is str and own and " " not in own and len(own) <= 64 and ("id", own) not in seen:
        seen["id", own] = 1
        return own
    form = canonical(element)
    seen[form] = seen.get(form, 0) + 1
    return content_id(form, seen[form])


def party(value: Any) -> Any:
    """The name of a person, or what is known of them."""
    if type(value) is not dict:
        return None
    text, literal, type_ = value.get("display"), value.get("reference"), value.get("type")
    named = type(text) is str and text != ""
    if named and len(value) == 1:
        return text
    found: Tree = {"text": text} if named else {}
    if type(literal) is str and literal and literal[0] != "#":
        found["reference"] = literal
    if type(type_) is str and type_:
        found["type"] = type_
    identifier = value.get("identifier")
    if type(identifier) is dict:
        kept = {key: identifier[key] for key in ("system", "value") if is_code(identifier.get(key))}
        if kept:
            found["identifier"] = kept
    if named and len(found) == 1:
        return text
    return found or None


def concept(value: Any, codes: Codes | None) -> Tree | None:
    """Our code for a CodeableConcept, or what it says of itself."""
    if type(value) is not dict:
        return None
    rows, text = value.get("coding"), value.get("text")
    found = _coded(rows, codes) if type(rows) is list else {}
    others = found.pop("also") if "also" in found else None
    if type(text) is str and text:
        found["text"] = text
    if others is not None:
        found["also"] = others
    return found or None


def _coded(rows: list[Any], codes: Codes | None) -> Tree:
    codings = [row for row in rows if _is_coding(row)]
    if codes is not None and len(codings) == 1:
        ours = codes.back.get((codings[0]["system"], codings[0]["code"]))
        if ours is not None:
            return {"code": ours}
    if not codings:
        shown = (row.get("display") for row in rows if type(row) is dict)
        return next(({"display": display} for display in shown if is_code(display)), {})
    code = _ours(codings, codes) if codes is not None else None
    if code is not None and codes is not None:
        same = ((codes.system, code), codes.published.get(code))
        return _with_others({"code": code}, [row for row in codings if (row["system"], row["code"]) not in same])
    head = codings[0]
    if codes is None and head["system"] == LOCAL:
        return _with_others({"code": head["code"]}, codings[1:])
    return _with_others({key: head[key] for key in CODING if is_code(head.get(key))}, codings[1:])


def _ours(codings: list[Tree], codes: Codes) -> str | None:
    for coding in codings:
        if coding["system"] == codes.system and coding["code"] in codes.displays:
            return str(coding["code"])
    return next((code for row in codings if (code := codes.back.get((row["system"], row["code"])))), None)


def _with_others(found: Tree, others: list[Tree]) -> Tree:
    if others:
        kept = ("system", "code", "version", "display")
        found["also"] = [{key: row[key] for key in kept if is_code(row.get(key))} for row in others]
    return found


def _is_coding(row: Any) -> bool:
    if type(row) is not dict:
        return False
    system, code = row.get("system"), row.get("code")
    return type(system) is str and system != "" and type(code) is str and code != ""


def is_code(value: Any) -> bool:
    """A text with something in it."""
    return type(value) is str and value != ""
