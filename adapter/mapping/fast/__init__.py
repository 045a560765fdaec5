"""The two hot paths of a map as generated Python: reading a resource, and filling one that is new.

The rule objects stay the definition of what a mapping file means, and alone write onto what is there already. From them
`generate` makes one function for each direction in which the common rules stand inline, as a person would write them;
a rule, or a value, that is out of the common goes to its rule object. tests/laws/test_fast.py holds that both ways give
the same trees and the same issues.
"""

from __future__ import annotations

from adapter.mapping.fast.code import Module
from adapter.mapping.fast.reading import reader
from adapter.mapping.fast.writing import filler
from adapter.mapping.maps import Generated, ResourceMap

__all__ = ["generate", "source_of"]


def generate(map_: ResourceMap) -> Generated:
    """The generated functions of a map."""
    module, read, fill = _module(map_)
    made = module.build(f"<map {map_.name}>")
    return Generated(made[read], made[fill])


def source_of(map_: ResourceMap) -> str:
    """The text of what `generate` makes, for whoever wants to read it."""
    return _module(map_)[0].text


def _module(map_: ResourceMap) -> tuple[Module, str, str]:
    module = Module()
    return module, reader(module, map_.rules), filler(module, map_.rules)
