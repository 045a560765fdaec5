"""Bearer tokens by the hash of their secret."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Engine, delete, insert, select

from adapter.errors import Conflict, UsageError
from adapter.ports import Token
from adapter.store.database import reading, writing
from adapter.store.tables import token


class Tokens:
    """Answers `adapter.services.tokens.TokenStore`."""

    engine: Engine

    def add_token(self, new: Token) -> None:
        try:
            with writing(self.engine) as connection:
                connection.execute(insert(token).values(**asdict(new)))
        except Conflict:
            raise UsageError("There is a token of that name already.", place=new.name) from None

    def tokens(self) -> list[Token]:
        with reading(self.engine) as connection:
            return [Token(**row) for row in connection.execute(select(token).order_by(token.c.name)).mappings()]

    def token_by_hash(self, digest: str) -> Token | None:
        with reading(self.engine) as connection:
            row = connection.execute(select(token).where(token.c.digest == digest)).mappings().first()
        return Token(**row) if row is not None else None

    def remove_token(self, name: str) -> None:
        with writing(self.engine) as connection:
            if not connection.execute(delete(token).where(token.c.name == name)).rowcount:
                raise UsageError("There is no token of that name.", place=name, remedy="See `careplan token list`.")
