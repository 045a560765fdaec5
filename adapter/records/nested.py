"""The fields that hold objects and lists: one object, a leaf or an object, many of them.

Each hands its value on exactly as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields

from adapter.records.between import repeated
from adapter.records.faults import EMPTY, LIST, OBJECT, REQUIRED, WHOLE

if TYPE_CHECKING:
    from adapter.records.base import Base
    from adapter.records.fields import Leaf

MESSAGES: Any = {"required": [REQUIRED], "null": [EMPTY]}


class One(fields.Nested):
    """An object of a schema; all fields of one schema share one instance, so that recursion costs nothing."""

    default_error_messages = MESSAGES

    def __init__(self, target: Callable[[], type[Base]] | type[Base], *, required: bool = False) -> None:
        super().__init__(target, required=required)
        self.target = target

    @property
    def schema(self) -> Base:
        """The shared instance of its schema."""
        if self._schema is None:
            target: Any = self.target if isinstance(self.target, type) else self.target()
            self._schema = target.shared()
        shared: Any = self._schema
        return shared  # type: ignore[no-any-return]

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, *_: Any, **__: Any) -> Any:
        if type(value) is not dict:
            raise ValidationError([EMPTY if value in ("", []) else OBJECT])
        if not value:
            raise ValidationError([EMPTY])
        return self._load(value)


class Either(fields.Field[Any]):
    """A leaf where it says all, else an object: a name alone is a text, a name with more is an object."""

    default_error_messages = MESSAGES

    def __init__(self, leaf: Leaf, one: One, *, required: bool = False) -> None:
        super().__init__(required=required)
        self.leaf, self.one = leaf, one

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        inner: Any = self.one if type(value) is dict and value else self.leaf
        return inner.deserialize(value, attr, data, **kwargs)


class Many(fields.List[Any]):
    """A list with something in it. `ids`: its items, or their `id`, must differ. `default`: what stands for a missing one."""

    default_error_messages = MESSAGES

    def __init__(
        self, inner: Leaf | One | Either, *, ids: bool = False, required: bool = False, default: list[Any] | None = None
    ) -> None:
        super().__init__(inner, required=required)
        self.ids = ids
        self.default = default

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if type(value) is not list:
            raise ValidationError([EMPTY if value in ("", {}) else LIST])
        if not value:
            raise ValidationError([EMPTY])
        messages: dict[Any, Any] = {}
        try:
            super()._deserialize(value, attr, data, **kwargs)
        except ValidationError as error:
            messages = dict(error.messages)  # type: ignore[arg-type]
        twice = repeated(value) if self.ids else []
        if twice:
            messages[WHOLE] = twice
        if messages:
            raise ValidationError(messages)
        return value
