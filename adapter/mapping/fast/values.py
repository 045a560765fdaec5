"""Two-way functions on one value, generated: a flat function for each codec of a map, the usual case first.

What is out of the usual goes to the codec itself, so that the functions say nothing that it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.identity import IDENTIFIER_SYSTEM
from adapter.mapping.codecs import Copy, Values
from adapter.mapping.concepts import Coded, Concept
from adapter.mapping.fast.code import Function, Module
from adapter.mapping.fast.concepts import QuickConcept
from adapter.mapping.links import Link, Party, Related
from adapter.mapping.shapes import is_given

_WHOLE = Party(whole=True)
_SHARED = (Link, Party, Related)
"""Codecs that are equal where they say the same: one function serves all."""
Body = Callable[[Function, Any], None]


def decoded(made: Function, codec: Any, value: str) -> str:
    """The expression for FHIR → record; None where the value is not understood."""
    if type(codec) is Values:
        return f"{made.const(codec.back, 'T')}.get({value}) if type({value}) is str else None"
    if type(codec) is Copy and codec.check is is_given:
        return f"{value} if type({value}) is str else {made.const(codec, 'D')}.decode({value}, scope)"
    if type(codec) not in _READ:
        return f"{made.const(codec, 'D')}.decode({value}, scope)"
    return f"{_reader(made.module, codec)}({value}, scope)"


def encoded(made: Function, codec: Any, value: str, stands: str) -> str:
    """The expression for record → FHIR, where `stands` is what stands there; None where it cannot be said."""
    if type(codec) is Party:
        usual = f"{{'display': {value}}} if type({value}) is str and {value} else "
        return f"{usual}{made.const(codec, 'D')}.encode({value}, None, scope)"
    if type(codec) not in _WRITE:
        return f"{made.const(codec, 'D')}.encode({value}, {stands}, scope)"
    return f"{_writer(made.module, codec)}({value}, {stands}, scope)"


def _reader(module: Module, codec: Any) -> str:
    verb, body = _READ[type(codec)]
    codec = module.alike(codec) if type(codec) in _SHARED else codec
    return module.function(verb, codec, "value, scope", lambda made: body(made, codec))


def _writer(module: Module, codec: Any) -> str:
    verb, body = _WRITE[type(codec)]
    codec = module.alike(codec) if type(codec) in _SHARED else codec
    return module.function(verb, codec, "value, stands, scope", lambda made: body(made, codec))


def _quick(made: Function, concept: Concept) -> tuple[str, QuickConcept]:
    """The codec of a concept with its memory: one for each codec of a module."""
    name = f"quick_{made.const(concept, 'K')}"
    memory = made.module.names.setdefault(name, QuickConcept(concept))
    return name, memory


# What each class of codec is read with.


def _link(made: Function, codec: Link) -> None:
    made.text(f"""
        if type(value) is dict:
            literal = value.get('reference')
            if type(literal) is not str:
                own = value.get('identifier')
                if type(own) is dict and own.get('system') == {IDENTIFIER_SYSTEM!r} and value.get('type') == {codec.type_!r}:
                    own = own.get('value')
                    if type(own) is str and own:
                        return own
            elif literal[:1] != '#':
                part = scope.refs.part(value)
                if part is not None and part.startswith({codec.type_ + "/"!r}):
                    return part[{len(codec.type_) + 1}:]
        return {made.const(codec, "D")}.decode(value, scope)
    """)


def _party(made: Function, codec: Party) -> None:
    said = "{'text': text}" if codec.whole else "text"
    made.text(f"""
        if type(value) is dict and len(value) == 1:
            text = value.get('display')
            if type(text) is str and text:
                return {said}
        return {made.const(codec, "D")}.decode(value, scope)
    """)


def _related(made: Function, codec: Related) -> None:
    made.text(f"""
        found = {_reader(made.module, codec.link)}(value, scope)
        if found is None:
            return {_reader(made.module, _WHOLE)}(value, scope)
        text = value.get('display')
        return {{'id': found, 'text': text}} if type(text) is str and text else found
    """)


def _concept(made: Function, codec: Concept) -> None:
    name, memory = _quick(made, codec)
    if codec.table is None:
        made.text(f"""
            if type(value) is dict and 'coding' not in value:
                text = value.get('text')
                return {{'text': text}} if type(text) is str and text else None
            return {name}.decode(value, scope)
        """)
        return
    made.text(f"""
        found = value.get('coding') if type(value) is dict else None
        if type(found) is list and len(found) == 1 and type(found[0]) is dict:
            system, code = found[0].get('system'), found[0].get('code')
            if type(system) is str and type(code) is str:
                code = {made.const(memory.read, "T")}.get((system, code))
                if code is not None:
                    text = value.get('text')
                    return {{'code': code, 'text': text}} if type(text) is str and text else {{'code': code}}
        return {name}.decode(value, scope)
    """)


def _coded(made: Function, codec: Coded) -> None:
    made.text(f"""
        found = {decoded(made, codec.concept, "value")}
        code = found.get('code') if found and 'system' not in found else None
        return code if {made.const(codec.check, "is")}(code) else None
    """)


# What each class of codec is written with.


def _to_link(made: Function, codec: Link) -> None:
    made.text(f"""
        if type(value) is not str or not value:
            return None
        part = {codec.type_ + "/"!r} + value
        if part in scope.parts:
            return scope.refs.to_part(part, scope.parts[part])
        return scope.refs.to_record({codec.type_!r}, value)
    """)


def _to_related(made: Function, codec: Related) -> None:
    made.text(f"""
        if type(value) is not str:
            return {made.const(codec, "D")}.encode(value, stands, scope)
    """)
    _to_link(made, codec.link)


def _to_concept(made: Function, codec: Concept) -> None:
    name, memory = _quick(made, codec)
    made.text(f"""
        if stands is None and type(value) is dict and len(value) == 1:
            if 'text' in value:
                text = value['text']
                return {{'text': text}} if type(text) is str and text else None
            code = value.get('code')
            codings = {made.const(memory.written, "T")}.get(code) if type(code) is str else None
            if codings is not None:
                return {{'coding': [coding.copy() for coding in codings]}}
        return {name}.encode(value, stands, scope)
    """)


def _to_coded(made: Function, codec: Coded) -> None:
    held = "{'code': value}"
    made.text(f"return {encoded(made, codec.concept, held, 'None')}")


_READ: dict[type, tuple[str, Body]] = {
    Link: ("link", _link), Party: ("party", _party), Related: ("related", _related), Concept: ("concept", _concept),
    Coded: ("coded", _coded),
}  # fmt: skip
_WRITE: dict[type, tuple[str, Body]] = {
    Link: ("to_link", _to_link), Related: ("to_related", _to_related), Concept: ("to_concept", _to_concept),
    Coded: ("to_coded", _to_coded),
}  # fmt: skip
