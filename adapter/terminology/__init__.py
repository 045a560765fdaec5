"""ConceptMaps read once, translated both ways. https://hl7.org/fhir/R4/conceptmap.html

A ConceptMap goes from our codes to those of one or more published systems, a group for each. An element whose only
target is `unmatched` is a code of ours that nobody has published: it travels as a coding of our own CodeSystem.
"""

from adapter.terminology.code_systems import displays
from adapter.terminology.table import PREFERRED, Table, compile_table, compile_tables, read_tables

__all__ = ["PREFERRED", "Table", "compile_table", "compile_tables", "displays", "read_tables"]
