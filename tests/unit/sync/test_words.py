"""What a server makes of our words, and what somebody there changes: told apart, element by element."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir_json import Tree, same
from adapter.sync.words import edited, says_all

NAMES = ["status", "title", "description", "category", "note", "intent"]
trees = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["a", "b", "c"]))


def made(known: Tree, changes: Tree) -> Tree:
    """With these changes; an empty one takes the element away."""
    tree = known | changes
    return {"resourceType": "CarePlan", **{name: value for name, value in tree.items() if value != ""}}


def told(words: list[str]) -> st.SearchStrategy[Tree]:
    return st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*words, ""]))


@given(trees, told(["A", "B"]), told(["x", "y"]))
def test_their_edit_is_taken_and_all_else_stays_in_our_words(known: Tree, reworded: Tree, edit: Tree) -> None:
    ours, seen = made(known, {}), made(known, reworded)
    now = made(seen, edit)
    changed = {name for name in NAMES if now.get(name) != seen.get(name)}
    wanted = {name: (now if name in changed else ours).get(name) for name in NAMES}
    found = edited(ours, seen, now)
    assert {name: found.get(name) for name in NAMES} == wanted


@given(trees, told(["A", "B"]), told(["x", "y"]))
def test_what_nobody_edited_there_is_as_we_have_it(known: Tree, reworded: Tree, edit: Tree) -> None:
    ours, seen = made(known, {}), made(known, reworded)
    assert same(edited(ours, seen, seen), ours)
    assert same(edited(ours, None, made(ours, edit)), made(ours, edit)), "as it is, of a server that keeps our words"


@given(trees, told(["A", "B"]), told(["x", "y"]))
def test_all_is_there_where_only_the_words_differ(known: Tree, reworded: Tree, edit: Tree) -> None:
    base, seen = made(known, {}), made(known, reworded)
    assert says_all(seen, base, base)
    mine = made(base, edit)
    changed = {name for name in NAMES if mine.get(name) != base.get(name)}
    assert says_all(seen, base, mine) == all(mine.get(name) == seen.get(name) for name in changed)
