"""A database that cannot be used is told by what is wrong with it, and what to do."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import create_engine, make_url, text

from adapter.errors import SettingsError, Unavailable
from adapter.store import open_store


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(cluster: str, encoding: str) -> None:
    url = make_url(cluster).set(drivername="postgresql+psycopg")
    name = f"made_{encoding.lower()}"
    with create_engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"))
    with pytest.raises(SettingsError, match=f"encoding {encoding}.*createdb --encoding UTF8"):
        open_store(make_url(cluster).set(database=name).render_as_string(hide_password=False))


def test_where_nobody_answers_the_address_and_the_password_are_to_be_looked_at() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable) as error:
            open_store(f"postgresql://careplan@127.0.0.1:{closed.getsockname()[1]}/careplan")
    assert "CAREPLAN_DATABASE_URL" in error.value.remedy
    assert "PGPASSWORD" in error.value.remedy
