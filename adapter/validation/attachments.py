"""What an Attachment says of its data: the size. https://hl7.org/fhir/R4/datatypes.html#attachment"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from adapter.validation.run import Run


def size_of(data: Any) -> int | None:
    """The bytes that a base64 text stands for; None where it is none."""
    if not isinstance(data, str):
        return None
    try:
        return len(base64.b64decode(data))
    except (binascii.Error, ValueError):
        return None


def check_attachment(value: Any, run: Run) -> None:
    """The rule over every Attachment: the stated size is that of the data."""
    stated = value.get("size")
    if type(stated) is int and "data" in value:
        size = size_of(value["data"])
        if size is not None and size != stated:
            run.add("attachment-size")
