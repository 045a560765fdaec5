"""Writes docs/validation-messages.md from the table of messages: `python tools/document_messages.py`."""

from __future__ import annotations

from pathlib import Path

from adapter.validation.messages import MESSAGES

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# What the validator says

Made from `adapter/validation/messages.py` by `tools/document_messages.py`. The id is stable: it stands in
`OperationOutcome.issue.details.coding.code`. Words in braces are filled with names of elements, types, definitions and
keys, never with a value from the data. The severity is the usual one; a rule may lower or raise it.

| Message id | Severity | Code | Text |
|---|---|---|---|
"""


def page() -> str:
    """The page."""
    rows = (f"| `{name}` | {row.severity} | {row.code} | {row.text} |\n" for name, row in MESSAGES.items())
    return HEAD + "".join(rows)


if __name__ == "__main__":
    (ROOT / "docs" / "validation-messages.md").write_text(page(), "utf-8")
