"""What is deleted here is withdrawn there by its own word; it is an error, or is removed, only where somebody says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.errors import UnknownOutcome
from adapter.ports import Options
from adapter.sync.ending import withdrawn
from tests.unit.services.scene import NAME, Scene, scene


@pytest.fixture
def pushed(tmp_path: Path) -> Scene:
    made = scene(tmp_path)
    made.push()
    made.pull()
    return made


def delete(made: Scene, kind: str, **options: Any) -> None:
    for record in list(made.store.records(kind)):
        made.store.delete(kind, record["id"], **options)


def there(made: Scene, type_: str) -> list[dict[str, Any]]:
    return [row.resource for page in made.client.search(type_, {}) for row in page]


def test_each_type_says_it_in_its_own_word(pushed: Scene) -> None:
    for kind in ("plan", "diagnosis", "patient"):
        delete(pushed, kind)
    pushed.push()
    assert {row["status"] for row in there(pushed, "CarePlan")} == {"revoked"}
    assert {row["status"] for row in there(pushed, "ServiceRequest")} == {"revoked"}
    assert {row["status"] for row in there(pushed, "MedicationRequest")} == {"cancelled"}
    assert {row["lifecycleStatus"] for row in there(pushed, "Goal")} == {"cancelled"}
    assert {row["status"] for row in there(pushed, "CareTeam")} == {"inactive"}
    assert {row["active"] for row in there(pushed, "Patient")} == {False}
    assert {row["clinicalStatus"]["coding"][0]["code"] for row in there(pushed, "Condition")} == {"inactive"}
    assert pushed.sync().steps == []


def test_answers_and_scores_are_left_as_they_are(pushed: Scene) -> None:
    before = there(pushed, "QuestionnaireResponse")
    delete(pushed, "assessment")
    pushed.push()
    assert there(pushed, "QuestionnaireResponse") == before
    assert pushed.sync().steps == []
    assert list(pushed.store.records("assessment")) == []


def test_an_error_is_said_where_a_person_says_so(pushed: Scene) -> None:
    delete(pushed, "assessment", ending="error")
    delete(pushed, "diagnosis", ending="error")
    pushed.push()
    assert {row["status"] for row in there(pushed, "QuestionnaireResponse")} == {"entered-in-error"}
    assert {row["status"] for row in there(pushed, "Observation")} == {"entered-in-error"}
    assert all("clinicalStatus" not in row for row in there(pushed, "Condition"))
    assert {row["verificationStatus"]["coding"][0]["code"] for row in there(pushed, "Condition")} == {
        "entered-in-error"
    }


def test_a_server_may_have_it_removed(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(removal="delete"))
    made.push()
    delete(made, "plan")
    assert "removed" in {step.verb for step in made.push().steps}
    assert there(made, "CarePlan") == there(made, "Goal") == []
    assert made.sync().steps == []


def test_changed_there_is_never_removed(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(removal="delete"))
    made.push()
    made.edit_there("CarePlan", title="Theirs")
    delete(made, "plan")
    made.push()
    assert [row["title"] for row in there(made, "CarePlan")] == ["Theirs"]
    assert [one.part for one in made.store.conflicts(NAME)] == [""]


def test_deleted_before_it_was_sent_sends_nothing(tmp_path: Path) -> None:
    made = scene(tmp_path)
    delete(made, "plan")
    made.push()
    assert there(made, "CarePlan") == []
    assert {link.state for link in made.links() if link.kind == "plan"} == {"closed"}


def test_a_withdrawal_whose_answer_is_lost(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    update = pushed.client.update

    def lost(resource: dict[str, Any], **more: Any) -> Any:
        update(resource, **more)
        raise UnknownOutcome("lost")

    delete(pushed, "plan")
    monkeypatch.setattr(pushed.client, "update", lost)
    with pytest.raises(UnknownOutcome):
        pushed.push()
    monkeypatch.undo()
    writes = pushed.client.writes
    before = {link.local for link in pushed.links() if link.in_flight}
    assert before
    pushed.push()
    assert {link.state for link in pushed.links() if link.kind == "plan"} == {"closed"}
    assert pushed.client.writes - writes == len([link for link in pushed.links() if link.kind == "plan"]) - len(before)


@pytest.mark.parametrize("as_error", [True, False])
def test_a_type_without_a_word_is_left(as_error: bool) -> None:
    assert withdrawn({"resourceType": "Basic"}, as_error=as_error) is None
