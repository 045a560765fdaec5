"""Records in a few lines for people, and what differs between two of them. For records that may be shown: examples."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import Tree, dumps, same
from adapter.records.kinds import content_of


def content(record: Tree) -> Tree:
    """A record without its envelope."""
    return {key: value for key, value in content_of(record).items() if key != "deleted"}


def told(record: Tree) -> list[str]:
    """The gist of a record, one thing a line."""
    tellers = {"patient": _patient, "diagnosis": _diagnosis, "assessment": _assessment, "plan": _plan}
    teller = tellers.get(record["kind"])
    return teller(record) if teller is not None else [record["kind"]]


def _patient(record: Tree) -> list[str]:
    name = (record.get("names") or [{}])[0]
    words = [*name.get("given", []), name.get("family", "")]
    return [f"patient      {' '.join(words).strip()}, born {record.get('birth_date', '?')} (made up)"]


def _diagnosis(record: Tree) -> list[str]:
    severity = word(record.get("severity"))
    return [f"diagnosis    {word(record.get('disorder'))}, {severity}, {record.get('course', '?')}"]


def _assessment(record: Tree) -> list[str]:
    used = [word(row["substance"]) for row in record.get("substances", [])]
    lines = [f"assessment   {record.get('authored', '?')[:10]}: {', '.join(used)}"]
    scores = [
        (row["name"], row.get("total", "incomplete"), row.get("band", "no band"))
        for row in record.get("instruments", [])
    ]
    return lines + [f"             {name}: {total} ({band})" for name, total, band in scores]


def _plan(record: Tree) -> list[str]:
    lines = [f"plan         {record.get('title', '?')} ({record['status']})"]
    lines += [f"  goal       {word(goal.get('statement'))}" for goal in record.get("goals", [])]
    todo = [word(row.get("activity") or row.get("medication")) for row in record.get("interventions", [])]
    lines.append(f"  doing      {', '.join(todo)}")
    roles = [word(member["role"]) for team in record.get("care_team", []) for member in team.get("members", [])]
    return [*lines, f"  team       {', '.join(roles)}"]


def word(concept: Any) -> str:
    """A concept in a word: its text, its display or its code."""
    found = concept if isinstance(concept, dict) else {}
    return str(found.get("text") or found.get("display") or found.get("code") or "?")


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Every difference between two trees as a line: its JSON pointer, what was and what is."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = list(dict.fromkeys([*before, *after]))
        return [row for name in names for row in differences(before.get(name), after.get(name), f"{path}/{name}")]
    if isinstance(before, list) and isinstance(after, list):
        longest = max(len(before), len(after))
        pairs = [(_at(before, index), _at(after, index), f"{path}/{index}") for index in range(longest)]
        return [row for one, other, place in pairs for row in differences(one, other, place)]
    if same(before, after):
        return []
    return [f"{path}: {_shown(before)} → {_shown(after)}"]


def _at(rows: list[Any], index: int) -> Any:
    return rows[index] if index < len(rows) else None


def _shown(value: Any) -> str:
    return "nothing" if value is None else dumps(value).decode()
