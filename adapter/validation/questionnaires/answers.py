"""One answer against its item: type, options, value set, limits.

https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from adapter.definitions import Definitions
from adapter.validation import units
from adapter.validation.attachments import size_of
from adapter.validation.bindings import member
from adapter.validation.fhirpath.texts import pattern
from adapter.validation.fhirpath.values import Failed, compare, text_of
from adapter.validation.questionnaires.enabling import same_value, value_of
from adapter.validation.questionnaires.form import FormItem
from adapter.validation.run import Run

Tree = dict[str, Any]
TYPES: dict[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
    "choice": ("valueCoding", "valueDate", "valueTime", "valueInteger", "valueString", "valueReference"),
    "open-choice": ("valueCoding", "valueDate", "valueTime", "valueInteger", "valueString", "valueReference"),
}
_TARGET = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*://\S*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/\S+)?")


def check_answer(defs: Definitions, item: FormItem, answer: Tree, run: Run) -> None:
    """Every fault of one answer; places are relative to the answer."""
    if item.quick and _is_quickly_right(item, answer.get(item.quick)):
        return
    name, value = value_of(answer)
    if not name:
        if not any(key.startswith("_value") for key in answer) and "extension" not in answer:
            run.add("response-answer-missing")
        return
    place = f".value.ofType({name[5:6].lower() + name[6:] if _is_primitive(name) else name[5:]})"
    allowed = TYPES.get(item.type)
    if allowed is not None and name not in allowed:
        run.add("response-answer-type", place, type=item.type if item.type in TYPES else "question")
        return
    _check_options(defs, item, name, value, place, run)
    _check_limits(item, value, place, run)
    if item.type == "quantity" and isinstance(value, dict):
        _check_unit(defs, item, value, place, run)
    elif item.type == "attachment" and isinstance(value, dict):
        _check_attachment(item, value, place, run)
    elif item.type == "reference" and isinstance(value, dict) and run.quirks.check_unresolved_targets:
        _check_target(defs, item, value, place, run)


def _is_quickly_right(item: FormItem, value: Any) -> bool:
    if item.codes is None:
        return value is not None
    if type(value) is not dict:
        return False
    system, code = value.get("system"), value.get("code")
    return type(system) is str and type(code) is str and (system, code) in item.codes


def _is_primitive(name: str) -> bool:
    return name not in ("valueCoding", "valueQuantity", "valueReference", "valueAttachment")


def _check_options(defs: Definitions, item: FormItem, name: str, value: Any, place: str, run: Run) -> None:
    if item.type == "open-choice" and name == "valueString":
        return
    spot = "" if name == "valueCoding" or item.type in ("choice", "open-choice") else place
    if item.options:
        if not any(key == name and same_value(value, option) for key, option, _ in item.options):
            run.add("response-not-an-option", spot)
    elif item.has_value_set and item.expansion is None:
        run.add("response-value-set-missing", spot)
    elif item.expansion is not None and name in ("valueCoding", "valueString"):
        found = _is_member(defs, item, value)
        if found is None and name == "valueString" and run.quirks.followed:
            # The reference takes a text for a code, and what it cannot look up for missing.
            found = False
        if found is False and item.type != "open-choice":
            system = value.get("system") if isinstance(value, dict) else None
            known = not isinstance(system, str) or system in item.expansion or defs.code_system(system) is not None
            run.add("response-not-in-value-set" if known else "response-other-system", spot)


def _is_member(defs: Definitions, item: FormItem, value: Any) -> bool | None:
    expansion = item.expansion or {}
    if isinstance(value, dict):
        return member(defs, expansion, value.get("system"), value.get("code"))
    found = [member(defs, expansion, system, value) for system in expansion]
    if True in found:
        return True
    return None if None in found else False


def _check_limits(item: FormItem, value: Any, place: str, run: Run) -> None:
    limits = item.limits
    if "min_value" in limits:
        _check_bound(value, limits["min_value"], -1, "response-min-value", place, run)
    if "max_value" in limits:
        _check_bound(value, limits["max_value"], 1, "response-max-value", place, run)
    places = limits.get("decimal_places")
    if type(places) is int and isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            run.add("response-decimal-places", place)
    if isinstance(value, str):
        _check_text(item, value, place, run)


def _check_text(item: FormItem, value: str, place: str, run: Run) -> None:
    shortest, regex = item.limits.get("min_length"), item.limits.get("regex")
    if type(shortest) is int and len(value) < shortest:
        run.add("response-min-length", place)
    if item.max_length is not None and len(value) > item.max_length:
        run.add("response-text-length" if item.type == "text" else "response-max-length", place)
    if isinstance(regex, str):
        try:
            if not pattern(regex).fullmatch(value):
                run.add("response-regex", place)
        except Failed:
            run.add("response-regex-not-checked", place)


def _check_bound(value: Any, limit: Any, wrong: int, message_id: str, place: str, run: Run) -> None:
    if isinstance(value, str) and isinstance(limit, str):
        order = compare(_first_instant(value), _first_instant(limit))
    elif isinstance(value, dict):
        if isinstance(limit, dict):
            _check_quantity(value, limit, wrong, message_id, place, run)
        return
    else:
        order = compare(value, limit)
    if order == wrong:
        run.add(message_id, place)


def _check_quantity(value: Tree, limit: Tree, wrong: int, message_id: str, place: str, run: Run) -> None:
    """Two quantities, in the same unit or by UCUM."""
    first, second = value.get("value"), limit.get("value")
    if not isinstance(first, (int, Decimal)) or not isinstance(second, (int, Decimal)):
        run.add("response-quantity-no-value", place)
        return
    system, code = value.get("system"), value.get("code")
    same = code is not None and (system, code) == (limit.get("system"), limit.get("code"))
    if same and wrong == -1 and run.quirks.reversed_min_quantity:
        wrong = 1
    if not same:
        if system != units.SYSTEM or limit.get("system") != system or not isinstance(code, str):
            run.add("response-incomparable", place)
            return
        converted = units.convert(Decimal(first), code, str(limit.get("code")))
        if converted is None:
            run.add("response-incomparable", place)
            return
        first = converted
    if compare(first, second) == wrong:
        run.add(message_id, place)


def _first_instant(text: str) -> str:
    """A date with less than a day stands for its first day, as the reference reads limits."""
    day = text.partition("T")[0]
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", day):
        return text
    full = (day + "-01-01")[:10]
    return full + (text[len(day) :] or "T00:00:00Z")


def _check_unit(defs: Definitions, item: FormItem, value: Tree, place: str, run: Run) -> None:
    options = [each for each in item.limits.get("units", []) if isinstance(each, dict)]
    if options and not any(_fits_unit(value, each) for each in options):
        run.add("response-unit", place)
    if item.units_expansion is not None:
        code = value.get("code")
        if code is None or member(defs, item.units_expansion, value.get("system"), code) is False:
            run.add("response-unit", place)


def _fits_unit(value: Tree, option: Tree) -> bool:
    """Whatever an option says of system, code and unit is so."""
    pairs = (("system", "system"), ("code", "code"), ("display", "unit"))
    return all(option[theirs] == value.get(own) for theirs, own in pairs if theirs in option)


def _check_attachment(item: FormItem, value: Tree, place: str, run: Run) -> None:
    size = size_of(value.get("data"))
    limit = item.limits.get("max_size")
    if run.quirks.max_size_in_bytes:
        # As the reference reads it: in bytes, of the data alone, and less than the limit.
        if isinstance(limit, (int, Decimal)) and size is not None and size >= limit > 0:
            run.add("response-attachment-size")
    else:
        stated = value.get("size")
        actual = size if size is not None else stated if isinstance(stated, int) else None
        if isinstance(limit, (int, Decimal)) and actual is not None and actual > limit * 1_000_000:
            run.add("response-attachment-size")
    kinds = item.limits.get("mime_types")
    kind = value.get("contentType")
    if kinds and not (isinstance(kind, str) and any(isinstance(each, str) and kind.startswith(each) for each in kinds)):
        run.add("response-attachment-type")


def _check_target(defs: Definitions, item: FormItem, value: Tree, place: str, run: Run) -> None:
    text = value.get("reference")
    found = _TARGET.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return
    allowed = item.limits.get("reference_types")
    if found.group(1) not in defs.resource_types or (allowed and found.group(1) not in map(text_of, allowed)):
        run.add("response-reference-type", place)
