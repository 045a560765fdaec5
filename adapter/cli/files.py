"""Files in, documents out: stdin where no file is named, one place that reads and one that writes."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from adapter.errors import DataError, UsageError
from adapter.fhir_json import DEFAULT_BOUNDS, loads, pretty
from adapter.whole import replacing

STDIN = "-"


def names(files: Sequence[str]) -> list[str]:
    """The inputs: the files named, or stdin. Raises UsageError where stdin is a terminal."""
    if not files and sys.stdin is None:
        raise UsageError("There is no standard input to read.", remedy="Name a file.")
    if not files and sys.stdin.isatty():
        raise UsageError("No file is named.", remedy="Name one, or pipe the input in; --help shows how.")
    return list(files) or [STDIN]


def read(name: str) -> bytes:
    """The bytes of a file or of stdin, and not more than the bounds allow. Raises UsageError where it cannot be read."""
    with opened(name) as source:
        return source.read(DEFAULT_BOUNDS.size + 1)


def tree_of(name: str, data: bytes) -> Any:
    """The tree of a document. Raises BadInput that names the file."""
    try:
        return loads(data)
    except DataError as error:
        where = ":".join(part for part in (label(name), error.place) if part)
        raise type(error)(
            error.message, issues=error.issues, place=where, remedy=error.remedy or _remedy(error)
        ) from None


def _remedy(error: DataError) -> str:
    """What to do where a document is rather many of them: too large, or another one after the end of the first."""
    message_id = error.issues[0].message_id if error.issues else ""
    if message_id == "json-too-large" or (message_id == "json-syntax" and "Extra data" in error.message):
        return "For one document a line there is --ndjson."
    return ""


def documents(name: str) -> Iterator[Any]:
    """Each document of a file of NDJSON (`.ndjson`, `.jsonl`, stdin) or JSON; None for a line that cannot be read.

    Raises UsageError for the file, BadInput for a JSON document.
    """
    if name != STDIN and not name.endswith((".ndjson", ".jsonl")):
        yield tree_of(name, read(name))
        return
    with opened(name) as source:
        for line in source:
            if line.strip():
                try:
                    tree = loads(line)
                except DataError:
                    tree = None
                yield tree


WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    metavar="N",
    show_default=True,
    help="With --ndjson: so many processes; the lines come out in order.",
)


def for_lines(ndjson: bool, workers: int) -> int:
    """How many workers a stream of lines gets; 0 where the input is none. Raises UsageError for workers without lines."""
    if workers > 1 and not ndjson:
        raise UsageError("--workers goes with --ndjson.", remedy="A document is converted by one process.")
    return workers if ndjson else 0


def label(name: str) -> str:
    """How an input is called in messages."""
    return "stdin" if name == STDIN else name


@contextlib.contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """An input as a stream of bytes. Raises UsageError where it cannot be read."""
    if name == STDIN:
        if sys.stdin is None:
            raise UsageError("There is no standard input to read.", remedy="Name a file.")
        yield sys.stdin.buffer
        return
    try:
        source = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"Cannot be read: {error.strerror}.", place=name) from None
    with source:
        try:
            yield source
        except IsADirectoryError:
            raise UsageError("Cannot be read: it is a folder.", place=name) from None


@contextlib.contextmanager
def sink(out: str | None) -> Iterator[BinaryIO]:
    """Where the output goes, as a stream of bytes: stdout, or a file, which is written whole or stays as it was.

    Raises UsageError where it cannot be written.
    """
    if out is None or out == STDIN:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with contextlib.ExitStack() as stack:
        with _said(out):
            target = stack.enter_context(replacing(Path(out)))
        yield target
        # What the block raises is not about this file; what ends it well may still fail to be put in its place.
        with _said(out):
            stack.close()


@contextlib.contextmanager
def _said(out: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EPIPE):
            raise
        raise UsageError(f"Cannot be written: {error.strerror}.", place=out) from None


def put(tree: Any, out: str | None = None) -> None:
    """Print a document for people and programs, to stdout or to a file."""
    with sink(out) as stream:
        stream.write(pretty(tree).encode() + b"\n")


def tell(text: str) -> None:
    """A line of progress, on stderr."""
    click.echo(text, err=True)
