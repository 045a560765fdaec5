"""The frame of a page: head, search, sections of tables. Everything is inside the file; the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path

HERE = Path(__file__).parent


class Safe(str):
    """Text that is HTML already."""

    __slots__ = ()


def cell(value: object) -> str:
    """HTML of a value: as it is where it is HTML already, else escaped."""
    return value if isinstance(value, Safe) else escape(str(value))


def tag(name: str, content: object, class_: str = "") -> Safe:
    """An element with one content."""
    attribute = f' class="{escape(class_)}"' if class_ else ""
    return Safe(f"<{name}{attribute}>{cell(content)}</{name}>")


def code(text: object) -> Safe:
    """A path or a value."""
    return tag("code", text)


def joined(parts: Iterable[object], between: str = "") -> Safe:
    """Several contents in one."""
    return Safe(between.join(cell(part) for part in parts))


def details(summary: str, content: object) -> Safe:
    """Something that opens."""
    return Safe(f"<details><summary>{escape(summary)}</summary>{cell(content)}</details>")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> Safe:
    """A table whose rows can be searched and reached with the arrow keys; `numbers` are the columns of figures."""
    kinds = ['class="number"' if index in numbers else "" for index in range(len(heads))]
    head = "".join(f'<th scope="col" {kind}>{escape(name)}</th>' for name, kind in zip(heads, kinds, strict=True))
    body = "\n".join(
        f'<tr tabindex="-1">{"".join(f"<td {kind}>{cell(value)}</td>" for value, kind in zip(row, kinds, strict=True))}</tr>'
        for row in rows
    )
    text = (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody class="rows">\n{body}\n</tbody></table></div>'
    )
    return Safe(text.replace('<th scope="col" >', '<th scope="col">').replace("<td >", "<td>"))


def section(id_: str, title: str, note: str, content: object, count: str = "") -> Safe:
    """A part of the page, which the list at its top leads to."""
    small = f" <small>{escape(count)}</small>" if count else ""
    words = f"<p>{escape(note)}</p>" if note else ""
    return Safe(f'<section id="{escape(id_)}"><h2>{escape(title)}{small}</h2>{words}{cell(content)}</section>')


def page(title: str, lead: str, intro: object, sections: Sequence[tuple[str, str, Safe]]) -> str:
    """The whole page: `sections` are (id, name in the list, content)."""
    links = "".join(f'<a href="#{escape(id_)}">{escape(name)}</a>' for id_, name, _ in sections)
    body = "\n".join(content for _, _, content in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>
{_file("page.css")}</style>
</head>
<body>
<header class="top"><h1>{escape(title)}</h1><p>{escape(lead)}</p></header>
<div class="tools" role="search">
<input type="search" placeholder="Search" aria-label="Search the rows" autocomplete="off">
<output aria-live="polite"></output>
<span class="hint"><kbd>/</kbd> search <kbd>↑</kbd> <kbd>↓</kbd> rows <kbd>Enter</kbd> open <kbd>Esc</kbd> all</span>
</div>
<nav aria-label="Sections">{links}</nav>
<main>
{cell(intro)}
{body}
<p class="none" hidden>No row has all these words.</p>
</main>
<script>
{_file("page.js")}</script>
</body>
</html>
"""


@cache
def _file(name: str) -> str:
    return (HERE / name).read_text("utf-8")
