"""Columns and their types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload


@dataclass(frozen=True)
class Column:
    """A column: its name, and its type as `distil schema` spells it."""

    name: str
    type: str
    #: Whether no value ever said what the type is.
    unknown: bool = False


class Schema(Sequence[Column]):
    """The columns of rows, in order. `str(schema)` is what the option `schema` takes."""

    def __init__(self, columns: Sequence[Column], warnings: Sequence[str] = ()) -> None:
        self._columns = tuple(columns)
        #: What is to be known of the types, a sentence each.
        self.warnings = list(warnings)

    @classmethod
    def _of(cls, told: list[dict[str, Any]], warnings: Sequence[str] = ()) -> Schema:
        columns = [
            Column(column["name"], column["type"], column.get("unknown", False)) for column in told
        ]
        return cls(columns, warnings)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self._columns]

    @property
    def types(self) -> dict[str, str]:
        """The type of each column by its name, as the option `types` takes them."""
        return {column.name: column.type for column in self._columns}

    @overload
    def __getitem__(self, at: int) -> Column: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Column]: ...
    def __getitem__(self, at: int | slice) -> Column | Sequence[Column]:
        return self._columns[at]

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self._columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self._columns == other._columns

    def __hash__(self) -> int:
        return hash(self._columns)

    def __str__(self) -> str:
        return ", ".join(f"{_quoted(column.name)} {column.type}" for column in self._columns)

    def __repr__(self) -> str:
        width = max((len(name) for name in self.names), default=0)
        return "\n".join(f"{column.name:<{width}}  {column.type}" for column in self._columns)


def _quoted(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
