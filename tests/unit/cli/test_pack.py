"""careplan pack as another program calls it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from adapter.cli import main

PACK = "name: odd\nversion: 1.0.0\n"


def careplan(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_clean_pack_is_silent() -> None:
    done = careplan("pack", "lint", "core")
    assert (done.exit_code, done.stdout) == (0, "")


def test_faults_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "pack.yaml").write_text(PACK)
    (tmp_path / "maps" / "goal.yaml").write_text(
        "record: goal\nresource: Goal\nrules:\n  - {recrod: lifecycle, fhir: lifecycleStatus}\n"
    )
    done = careplan("pack", "lint", tmp_path)
    assert done.exit_code == 1
    assert "maps/goal.yaml:4:6: unknown keyword recrod; did you mean record?" in done.stdout


def test_a_pack_that_is_not_there_is_a_wrong_call() -> None:
    done = careplan("pack", "lint", "nowhere")
    assert done.exit_code == 2
    assert "There is no pack nowhere." in done.stderr
