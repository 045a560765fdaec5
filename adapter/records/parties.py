"""Who and what others keep: named in words, or by what others call them. https://hl7.org/fhir/R4/references.html"""

from __future__ import annotations

from adapter.fhir_json import Tree
from adapter.records import fields as f
from adapter.records.base import Base, at_least_one, rule


class Identifier(Base):
    """A business identifier inside a reference."""

    system = f.text()
    value = f.text()


class Party(Base):
    """Somebody or something that others keep: its name, and how they call it. A name alone is written as a text.

    https://hl7.org/fhir/R4/references.html
    """

    rules = (at_least_one("reference", "type", "identifier"),)
    text = f.text()
    reference = f.text()
    type = f.text()
    identifier = f.One(Identifier)


class Writer(Base):
    """Who wrote a note, where others keep them."""

    text = f.text()
    reference = f.text()
    type = f.text()
    identifier = f.One(Identifier)


_BY_ID_AND_TEXT: Tree = {
    "dependentSchemas": {"id": {"properties": dict.fromkeys(("reference", "type", "identifier"), False)}}
}


class Related(Base):
    """A record with what it is called here, or something of others. An id alone is written as a text."""

    rules = (at_least_one("text", "reference", "type", "identifier"), rule(_BY_ID_AND_TEXT, "by_id_and_text"))
    id = f.uuid()
    text = f.text()
    reference = f.text()
    type = f.text()
    identifier = f.One(Identifier)


def party() -> f.Either:
    """A name in words, or a party that others keep."""
    return f.Either(f.text(), f.One(Party))


def parties() -> f.Many:
    """Several of them."""
    return f.Many(party())


def related() -> f.Many:
    """Ids of records, each once; or what else is meant."""
    return f.Many(f.Either(f.uuid(), f.One(Related)), ids=True)
