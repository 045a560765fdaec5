"""What an internal record holds, and the clinical rules over it.

`check` and `normalise` look at one record's shape, `clinical_issues` at what several records say together.
"""

from __future__ import annotations

from adapter.records.checking import ENVELOPE, KINDS, check, json_schema, normalise, schema

__all__ = ["ENVELOPE", "KINDS", "check", "json_schema", "normalise", "schema"]
