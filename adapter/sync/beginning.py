"""What is read of a server of which nothing was read yet: what is linked, and what is about its patients."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.ports import Rows
from adapter.sync.pages import chunks
from adapter.sync.partner import Partner

COUNT = "200"


def about_patients(partner: Partner, type_: str) -> Iterator[Rows]:
    """Pages of a type, about the patients that are linked."""
    for some in chunks(_remote_ids(partner, "Patient")):
        yield from partner.client.search(type_, {"patient": ",".join(some), "_count": COUNT})


def linked(partner: Partner, type_: str) -> Iterator[Rows]:
    """Pages of a type, of what is linked; of patients, those who are listed as well."""
    for some in chunks(_remote_ids(partner, type_)):
        yield from partner.client.search(type_, {"_id": ",".join(some), "_count": COUNT})
    listed = (name for name in partner.store.patients(partner.name) if "|" in name)
    for some in chunks(listed if type_ == "Patient" else ()):
        yield from partner.client.search(type_, {"identifier": ",".join(some), "_count": COUNT})


def _remote_ids(partner: Partner, type_: str) -> Iterator[str]:
    return (link.remote_id for link in partner.store.links(partner.name, type_=type_) if link.remote_id)
