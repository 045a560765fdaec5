"""Mapping files in one form: the same meaning, every comment, and a second run changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import Finding, PackError
from adapter.mapping import parsing
from adapter.mapping.fmt import WIDTH, formatted
from adapter.mapping.keywords import FILE_KEYS, KEYWORDS
from adapter.packs import root

FILES = sorted(root().glob("*/maps/*.yaml"))


def read(text: str) -> Any:
    found: list[Finding] = []
    tree = parsing.read(text, "f.yaml", found)
    assert found == []
    return tree


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_files_of_packs_keep_their_meaning_and_their_comments(path: Path) -> None:
    text = path.read_text("utf-8")
    once = formatted(text, path.name)
    assert read(once) == read(text)
    assert formatted(once, path.name) == once
    assert sorted(re.findall(r"(?m)(?:^|\s)#.*$", once)) == sorted(re.findall(r"(?m)(?:^|\s)#.*$", text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_files_of_packs_stand_in_the_form(path: Path) -> None:
    text = path.read_text("utf-8")
    assert formatted(text, path.name) == text, "run `careplan pack fmt`"


def test_keys_stand_in_one_order() -> None:
    text = "rules:\n- {values: {b: x, a: z}, fhir: f, record: r}\nresource: Goal\nrecord: goal\nmap: goal\n"
    assert formatted(text, "f.yaml") == (
        "map: goal\nrecord: goal\nresource: Goal\nrules:\n  - {record: r, fhir: f, values: {b: x, a: z}}\n"
    )


def test_comments_stay_with_their_rules() -> None:
    text = (
        "# of the file\nmap: goal\nrecord: goal # a kind\nresource: Goal\nrules:   # all\n"
        "- # first\n  {fhir: a, record: b}  # behind\n\n\n# above\n- record: c # at the key\n  fhir: d\n# below\n"
    )
    assert formatted(text, "f.yaml") == (
        "# of the file\nmap: goal\nrecord: goal  # a kind\nresource: Goal\nrules:  # all\n"
        "  # first\n  - {record: b, fhir: a}  # behind\n\n  # above\n  - record: c  # at the key\n    fhir: d\n# below\n"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain text", "plain text"),
        ("'yes'", '"yes"'),
        ("012", '"012"'),
        ("2024-01-01", '"2024-01-01"'),
        ("'a: b'", '"a: b"'),
        ("$ext/name", "$ext/name"),
        ("a[b=c]", '"a[b=c]"'),
        ("'#x'", '"#x"'),
        ("|-\n    two\n    lines", '"two\\nlines"'),
        ("größe", "größe"),
    ],
)
def test_text_is_quoted_where_a_reader_could_take_it_for_something_else(value: str, shown: str) -> None:
    assert formatted(f"map: x\nnotes: {value}\n", "f.yaml").splitlines()[-1] == f"notes: {shown}"


def test_a_rule_that_is_too_long_for_a_line_has_one_for_each_key() -> None:
    long = "x" * WIDTH
    assert formatted(f"rules:\n  - {{fhir: f, record: {long}}}\n", "f.yaml") == (
        f"rules:\n  - record: {long}\n    fhir: f\n"
    )


LONG = "x" * WIDTH


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("\n\nmap: x\n\n\n# about ~\n\n", "map: x\n\n# about ~\n"),
        ("\ufeffmap: x\n", "map: x\n"),
        (
            "map: x\n\nmatch:\n\n  # why\n  a: b\n\n  c: d  # too\n",
            "map: x\n\nmatch:\n  # why\n  a: b\n\n  c: d  # too\n",
        ),
        ("rules:\n\n  - {record: r}\n\n\n  - {record: s}\n", "rules:\n  - {record: r}\n\n  - {record: s}\n"),
        (f"rules: [{{record: {LONG}}}]  # behind\n", f"rules:  # behind\n  - record: {LONG}\n"),
        (f"rules:\n- {{record: {LONG}}} # behind\n", f"rules:\n  # behind\n  - record: {LONG}\n"),
        ("notes: [a,  # why\n  b]\n", "notes:\n  - a  # why\n  - b\n"),
        ("notes:\n- [a,  # why\n  [b, c]]\n- d\n", "notes:\n  -\n    - a  # why\n    - [b, c]\n  - d\n"),
        (f"notes: [[{LONG}, b]]\n", f"notes:\n  -\n    - {LONG}\n    - b\n"),
        ("\ufeff# a\nmap: x # b\n", "# a\nmap: x  # b\n"),
        (f"notes: [[{{fhir: {LONG}, record: b}}]]\n", f"notes:\n  -\n    - fhir: {LONG}\n      record: b\n"),
    ],
)
def test_comments_and_blank_lines_stay_where_they_say_something(text: str, form: str) -> None:
    assert formatted(text, "f.yaml") == form
    assert formatted(form, "f.yaml") == form
    assert formatted(text.encode(), "f.yaml") == form
    assert read(form) == read(text)


@pytest.mark.parametrize(("width", "lines"), [(WIDTH, 1), (WIDTH + 1, 3)])
def test_a_list_stands_on_one_line_as_far_as_the_line_goes(width: int, lines: int) -> None:
    text = f"notes: [{'x' * (width - len('notes: [, b]'))}, b]\n"
    assert len(formatted(text, "f.yaml").splitlines()) == lines


def test_groups_and_rules_stand_apart_where_a_file_has_both() -> None:
    both = "map: x\ngroups: {a: [{record: r}]}\nrules: [{record: s}]\n"
    assert formatted(both, "f.yaml") == ("map: x\n\ngroups:\n  a:\n    - {record: r}\n\nrules:\n  - {record: s}\n")
    assert formatted("map: x\nrules: [{record: s}]\n", "f.yaml") == "map: x\nrules:\n  - {record: s}\n"


@pytest.mark.parametrize(
    ("text", "id_", "line"), [("- a\n", "file-shape", 1), ("map: x\nrules: [\n", "yaml-syntax", 3)]
)
def test_what_is_no_mapping_file_is_refused(text: str, id_: str, line: int) -> None:
    with pytest.raises(PackError) as caught:
        formatted(text, "f.yaml")
    assert [(fault.file, fault.id, fault.line, fault.column) for fault in caught.value.faults] == [
        ("f.yaml", id_, line, 1)
    ]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"), max_size=12)
VALUES = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
RULE = st.dictionaries(st.sampled_from(sorted(KEYWORDS)), VALUES, min_size=1, max_size=5)
TREES = st.fixed_dictionaries({}, optional={**dict.fromkeys(FILE_KEYS, VALUES), "rules": st.lists(RULE, max_size=4)})


@given(TREES.filter(bool), st.booleans())
def test_any_tree_comes_back(tree: Any, flow: bool) -> None:
    import yaml

    text = yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    try:
        before = read(text)
    except AssertionError:
        return
    once = formatted(text, "f.yaml")
    assert read(once) == before
    assert formatted(once, "f.yaml") == once
