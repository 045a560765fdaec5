"""Concepts read and written many times: what a code leads to is looked up once.

Only what is plain is remembered: codes of which nothing has to be said and beside which nothing stands. The rest goes
to the codec itself. The memory is bounded, and holds codes alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapter.mapping.concepts import Concept
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Key = tuple[str, str]
LARGEST = 4096


class _Listener:
    """A scope that only hears whether anything is said."""

    said = False

    def say(self, *_: Any, **__: Any) -> None:
        self.said = True


@dataclass(slots=True)
class QuickConcept:
    """The same codec as `concept`, with a memory: our code for one coding, and for several; the codings of a code."""

    concept: Concept
    read: dict[Key, str | None] = field(default_factory=dict)
    written: dict[str, tuple[Tree, ...] | None] = field(default_factory=dict)
    _together: dict[tuple[Key, ...], str | None] = field(default_factory=dict)

    def decode(self, value: Any, scope: Scope) -> Any:
        """CodeableConcept → concept of the record."""
        if type(value) is not dict:
            return None
        found, text = value.get("coding"), value.get("text")
        if found is None:
            return {"text": text} if type(text) is str and text else None
        if type(found) is not list:
            return self.concept.decode(value, scope)
        if self.concept.table is None and len(found) == 1:
            return self._alone(found[0], text) or self.concept.decode(value, scope)
        code = self._code(found)
        if code is None:
            return self.concept.decode(value, scope)
        return {"code": code, "text": text} if type(text) is str and text else {"code": code}

    def _alone(self, coding: Any, text: Any) -> Tree | None:
        """The only coding of a concept that has no table."""
        if type(coding) is not dict or "version" in coding:
            return None
        system, code, display = coding.get("system"), coding.get("code"), coding.get("display")
        if not (type(system) is str and system and type(code) is str and code):
            return None
        found = {"code": code} if system == self.concept.system else {"system": system, "code": code}
        if type(display) is str and display and "system" in found:
            found["display"] = display
        if type(text) is str and text:
            found["text"] = text
        return found

    def _code(self, codings: list[Any]) -> str | None:
        try:
            key = tuple([(coding["system"], coding["code"]) for coding in codings])
            if key in self._together:
                return self._together[key]
        except (KeyError, TypeError):
            return None
        code = self._learn(key)
        if len(self._together) < LARGEST:
            self._together[key] = code
            if len(key) == 1:
                self.read[key[0]] = code
        return code

    def _learn(self, key: tuple[Key, ...]) -> str | None:
        listener: Any = _Listener()
        found = self.concept.decode({"coding": [{"system": system, "code": code} for system, code in key]}, listener)
        if listener.said or type(found) is not dict or found.keys() != {"code"}:
            return None
        return str(found["code"])

    def encode(self, value: Any, old: Any, scope: Scope) -> Any:
        """Concept of the record → CodeableConcept."""
        if old is not None or type(value) is not dict:
            return self.concept.encode(value, old, scope)
        code, text = value.get("code"), value.get("text")
        if len(value) != (code is not None) + (text is not None):
            return _foreign(value) or self.concept.encode(value, old, scope)
        tree: Tree = {}
        if code is not None:
            codings = self._codings(code) if type(code) is str else None
            if codings is None:
                return self.concept.encode(value, old, scope)
            tree["coding"] = [dict(coding) for coding in codings]
        if type(text) is str and text:
            tree["text"] = text
        return tree or None

    def _codings(self, code: str) -> tuple[Tree, ...] | None:
        if code in self.written:
            return self.written[code]
        listener: Any = _Listener()
        found = self.concept.encode({"code": code}, None, listener)
        right = not listener.said and type(found) is dict and found.keys() == {"coding"}
        codings = tuple(found["coding"]) if right else None
        if len(self.written) < LARGEST:
            self.written[code] = codings
        return codings


def _foreign(value: Tree) -> Tree | None:
    """A concept of somebody else's system, without further codings."""
    if "system" not in value:
        return None
    coding: Tree = {"system": value["system"]}
    if "code" in value:
        coding["code"] = value["code"]
    if "display" in value:
        coding["display"] = value["display"]
    if len(value) != len(coding) + ("text" in value):
        return None
    text = value.get("text")
    return {"coding": [coding], "text": text} if type(text) is str and text else {"coding": [coding]}
