"""The mapping files of a pack in their one form, written back where they differ."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.errors import Finding, PackError
from adapter.whole import write_whole


def reform(name_or_path: str, *, write: bool) -> Iterator[tuple[str, bool]]:
    """(file, whether it differs from the one form) of each mapping file of a pack; what differs is written.

    Raises PackError where there is no such pack, or with the faults of every file that cannot be read; those stay as
    they are, and the others are done.
    """
    from adapter.mapping.fmt import formatted
    from adapter.packs import folder_of
    from adapter.packs.reading import file_of, read_bytes

    folder = folder_of(name_or_path)
    faults: list[Finding] = []
    for path in sorted((folder / "maps").glob("*.yaml")):
        file = file_of(path, folder)
        data = read_bytes(path, folder, faults)
        if data is None:
            continue
        try:
            wanted = formatted(data, file).encode()
        except PackError as error:
            faults += error.faults
            continue
        if write and wanted != data:
            write_whole(path, wanted)
        yield file, wanted != data
    if faults:
        raise PackError("Files that cannot be read stay as they are.", faults=faults)
