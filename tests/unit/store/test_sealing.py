"""A sealed store: nothing legible in the file, nothing readable without the key, the key exchanged without loss."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import SettingsError, Unavailable
from adapter.ports import Options, Server
from adapter.store import Store, new_key, open_store
from adapter.store.database import open_engine, upgrade
from adapter.store.vault import Vault, read_keys
from tests.unit.services.scene import Ticking

RECORD = {"kind": "patient", "id": "p1", "names": [{"family": "Zzyzxmann"}]}
PART = {"": {"resourceType": "Patient", "id": "p1", "name": [{"family": "Zzyzxmann"}], "birthDate": "1984-05-01"}}
SECRETS = (b"Zzyzxmann", b"zzyzxmann", b"1984-05-01")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "store.keys"
    path.write_text(new_key() + "\n")
    return path


def opened(tmp_path: Path, keys: Path | None, **options: Any) -> Store:
    return open_store(f"sqlite:///{tmp_path / 's.db'}", clock=Ticking(), key_file=str(keys or ""), **options)


def filled(tmp_path: Path, keys: Path | None) -> None:
    store = opened(tmp_path, keys)
    store.save(RECORD, PART)
    store.save({**RECORD, "gender": "female"}, {"": {**PART[""], "gender": "female"}})
    store.close()


def raw(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.glob("s.db*"))


def test_nothing_legible_lies_in_the_file(tmp_path: Path, keys: Path) -> None:
    filled(tmp_path, keys)
    assert not [secret for secret in SECRETS if secret in raw(tmp_path)]
    store = opened(tmp_path, keys)
    assert store.record("patient", "p1")["gender"] == "female"
    assert len(store.revisions("patient", "p1")) == 2
    assert store.search("Patient", [("family", "Zzyzxmann")]).total == 1
    store.close()


def test_without_the_key_or_with_another_it_is_not_opened(tmp_path: Path, keys: Path) -> None:
    filled(tmp_path, keys)
    with pytest.raises(Unavailable, match="no key"):
        opened(tmp_path, None)
    keys.write_text(new_key())
    with pytest.raises(Unavailable, match="another key"):
        opened(tmp_path, keys)


def test_a_store_that_was_legible_is_sealed_whole(tmp_path: Path, keys: Path) -> None:
    filled(tmp_path, None)
    assert b"Zzyzxmann" in raw(tmp_path)
    with pytest.raises(Unavailable, match="not sealed"):
        opened(tmp_path, keys)
    store = opened(tmp_path, keys, migrate=False)
    assert store.seal() == 6
    assert store.seal() == 0
    store.close()
    assert not [secret for secret in SECRETS if secret in raw(tmp_path)]
    store = opened(tmp_path, keys)
    assert store.record("patient", "p1")["gender"] == "female"
    assert store.search("Patient", [("birthdate", "1984-05-01")]).total == 1
    store.close()


def test_the_key_is_exchanged(tmp_path: Path, keys: Path) -> None:
    filled(tmp_path, keys)
    old, new = keys.read_text(), new_key()
    keys.write_text(f"{new}\n{old}")
    with pytest.raises(Unavailable, match="db seal"):
        opened(tmp_path, keys)
    store = opened(tmp_path, keys, migrate=False)
    store.seal()
    store.close()
    keys.write_text(new)
    store = opened(tmp_path, keys)
    assert store.record("patient", "p1")["gender"] == "female"
    store.close()
    keys.write_text(old)
    with pytest.raises(Unavailable):
        opened(tmp_path, keys)


def test_listed_patients_are_sealed_too_and_found_after_the_key_is_exchanged(tmp_path: Path, keys: Path) -> None:
    listed = ["urn:oid:1.2.3|19840501-77", "p1"]
    store = opened(tmp_path, keys)
    store.add_server(Server("ward", "http://localhost/fhir", "own", options=Options(patients="listed")), listed)
    store.close()
    assert b"19840501-77" not in raw(tmp_path)
    old, new = keys.read_text(), new_key()
    keys.write_text(f"{new}\n{old}")
    store = opened(tmp_path, keys, migrate=False)
    store.seal()
    store.close()
    keys.write_text(new)
    store = opened(tmp_path, keys)
    assert store.patients("ward") == frozenset(listed)
    store.close()


def test_listed_patients_of_older_tables_come_along(tmp_path: Path, keys: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 's.db'}", vault=read_keys(str(keys)))
    upgrade(engine, "0003")
    with engine.begin() as connection:
        connection.exec_driver_sql("insert into server_patient values ('ward', 'urn:oid:1.2.3|19840501-77')")
    engine.dispose()
    store = opened(tmp_path, keys)
    assert store.patients("ward") == {"urn:oid:1.2.3|19840501-77"}
    store.close()
    assert b"19840501-77" not in raw(tmp_path)


def test_a_value_that_was_changed_is_noticed(tmp_path: Path, keys: Path) -> None:
    filled(tmp_path, keys)
    with sqlite3.connect(tmp_path / "s.db") as database:
        (text,) = database.execute("select document from record").fetchone()
        head, body = text.rsplit(":", 1)
        damaged = bytearray(base64.b64decode(body))
        damaged[20] ^= 1
        database.execute("update record set document = ?", (f"{head}:{base64.b64encode(damaged).decode()}",))
    database.close()
    store = opened(tmp_path, keys)
    with pytest.raises(Unavailable, match="damaged or moved"):
        store.record("patient", "p1")
    store.close()


def test_a_value_of_another_column_is_not_taken(tmp_path: Path, keys: Path) -> None:
    filled(tmp_path, keys)
    with sqlite3.connect(tmp_path / "s.db") as database:
        database.execute("update record set document = (select tree from resource)")
    database.close()
    store = opened(tmp_path, keys)
    with pytest.raises(Unavailable, match="damaged or moved"):
        store.record("patient", "p1")
    store.close()


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"x" * 31).decode(), "ünïcode", "not base64!"])
def test_a_key_file_that_holds_no_key_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        opened(tmp_path, path)
    assert not text or text not in str(caught.value)


def test_a_missing_key_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        opened(tmp_path, tmp_path / "none")


def test_equal_texts_are_sealed_differently_and_found_alike() -> None:
    vault = Vault([b"k" * 32])
    assert vault.seal("x", "a.b") != vault.seal("x", "a.b")
    assert vault.hashed("x") == vault.hashed("x") != vault.hashed("y")
    assert Vault().seal("x", "a.b") == Vault().hashed("x") == "x"
