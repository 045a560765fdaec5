"""Which rules are generated: those that say no more than what the generated code knows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapter.mapping.codecs import Copy, is_text
from adapter.mapping.fast.known import is_plain, keys_are_known
from adapter.mapping.keys import NUMBER, Keys
from adapter.mapping.lists import Scalars
from adapter.mapping.oneway import OneWay
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf, OwnCode

LEAF = Leaf("f:1:1", ("a",), parse("x[k=1].v", {}), Copy(is_text))
LIST = Scalars("f:1:1", ("a",), parse("x", {}), Copy(is_text))


@dataclass(frozen=True, slots=True)
class LaterKeys(Keys):
    """What a later keyword might add."""

    more: str = ""


@dataclass(frozen=True, slots=True)
class LaterLeaf(Leaf):
    """The same of a leaf."""

    more: str = ""


def test_what_a_later_field_says_goes_to_the_rule() -> None:
    assert is_plain(LIST)
    assert not is_plain(replace(LIST, alone=True))
    assert not is_plain(replace(LIST, default=["x"]))
    assert keys_are_known(LaterKeys("linkId"))
    assert not keys_are_known(LaterKeys(more="x"))


def test_so_does_a_leaf_within_a_rule() -> None:
    assert is_plain(OwnCode(LEAF, {}, "x"))
    assert is_plain(OneWay(LaterLeaf(LEAF.source, LEAF.names, LEAF.path, LEAF.codec)))
    assert not is_plain(OneWay(LaterLeaf(LEAF.source, LEAF.names, LEAF.path, LEAF.codec, more="x")))
    assert not keys_are_known(Keys(uuid=True))


def test_so_does_a_path_that_asks_for_more_than_keys() -> None:
    assert is_plain(LEAF)
    assert not is_plain(replace(LEAF, path=parse("x[coding.code=1].v", {})))
    assert not is_plain(replace(LEAF, path=parse("v[text!]", {})))
    assert not is_plain(replace(LIST, leaf=parse("x[text!].v", {})))


def test_and_items_that_are_numbered() -> None:
    assert keys_are_known(Keys())
    assert keys_are_known(Keys("value"))
    assert not keys_are_known(Keys(NUMBER))
