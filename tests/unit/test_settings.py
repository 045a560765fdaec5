"""Settings from the environment."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from adapter import settings
from adapter.errors import SettingsError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_without_any_the_defaults_work() -> None:
    assert settings.load() == settings.Settings()


def test_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", "postgresql://somebody@localhost/x")
    monkeypatch.setenv("CAREPLAN_SYNC_OVERLAP", "0")
    found = settings.load()
    assert (found.database_url, found.sync_overlap) == ("postgresql://somebody@localhost/x", 0)


def test_every_wrong_one_is_named_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_LEASE", "secret")
    monkeypatch.setenv("CAREPLAN_HTTP_SECONDS", "-1")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "CAREPLAN_LEASE" in str(caught.value)
    assert "CAREPLAN_HTTP_SECONDS" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://u:secret@host/x", "secret", "http://[secret"])
def test_a_database_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", url)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "secret" not in str(caught.value)


def test_every_setting_is_documented() -> None:
    page = PAGE.read_text("utf-8")
    names = [f"{settings.PREFIX}{field.name.upper()}" for field in dataclasses.fields(settings.Settings)]
    assert [name for name in names if name not in page] == []
