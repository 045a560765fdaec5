"""FHIR's XML to its JSON, as far as published definitions need it: narratives are left out.

https://hl7.org/fhir/R4/xml.html — which element repeats, and of which type it is, the definitions say.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any, BinaryIO

from adapter.definitions import Definitions, Element

Tree = dict[str, Any]
NAMESPACE = "{http://hl7.org/fhir}"
NUMBERS = {"integer": int, "unsignedInt": int, "positiveInt": int, "decimal": float}


def entries(stream: BinaryIO, defs: Definitions) -> Iterator[Tree]:
    """The resources of a Bundle, one after the other."""
    # The archive's digest is known, so that its XML is too.
    for _, node in ET.iterparse(stream):  # noqa: S314
        if node.tag == NAMESPACE + "entry":
            resource = node.find(NAMESPACE + "resource")
            if resource is not None:
                yield _resource(resource[0], defs)
            node.clear()


def _resource(node: ET.Element, defs: Definitions) -> Tree:
    name = node.tag.removeprefix(NAMESPACE)
    return {"resourceType": name, **_object(node, name, defs)}


def _object(node: ET.Element, type_name: str, defs: Definitions) -> Tree:
    tree: Tree = {name: node.attrib[name] for name in ("id", "url") if name in node.attrib}
    elements = defs.type(type_name).elements
    for child in node:
        name = child.tag.removeprefix(NAMESPACE)
        if name == "text" and elements[name].type == "Narrative":
            continue
        element = elements[name]
        value = _value(child, element, defs)
        if value is None:
            continue
        if element.is_list:
            tree.setdefault(name, []).append(value)
        else:
            tree[name] = value
    return tree


def _value(node: ET.Element, element: Element, defs: Definitions) -> Any:
    if element.type == "Resource":
        return _resource(node[0], defs)
    facts = defs.type(element.type)
    if facts.kind != "primitive":
        return _object(node, element.type, defs)
    text = node.attrib.get("value")
    if text is None or element.type == "boolean":
        return None if text is None else text == "true"
    return NUMBERS.get(element.type, str)(text)
