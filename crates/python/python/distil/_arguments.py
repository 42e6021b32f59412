"""What users write, in the words of the options."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from . import _native

PathLike: TypeAlias = str | os.PathLike[str]
#: Files, directories, globs.
Source: TypeAlias = PathLike | Sequence[PathLike]
#: `"ts"`, `["id", "user.name"]`, `"id, ts"`.
Columns: TypeAlias = str | Sequence[str]
#: `"updated desc, id"`, or pairs of a column and a direction.
Order: TypeAlias = str | Sequence[str | tuple[str, Literal["asc", "desc"]]]
#: Bytes, or text such as `"4GiB"`.
Size: TypeAlias = int | str


#: The options that are sizes. In a configuration a number without a unit is refused; of a program it is bytes.
SIZES = ("max_file_bytes", "max_record", "memory")


def path_text(path: PathLike) -> str:
    """A path as text."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError("a path is text: str or os.PathLike[str]")
    return text


def source_texts(source: Source) -> list[str]:
    """Sources as texts."""
    if isinstance(source, str | bytes | os.PathLike):
        return [path_text(source)]
    return [path_text(path) for path in source]


def column_names(columns: tuple[Columns, ...]) -> list[str]:
    """Columns one by one: each argument may be several in one text, or a sequence of such texts."""
    names: list[str] = []
    for column in columns:
        for text in [column] if isinstance(column, str) else column:
            names.extend(_native.Session.column_names(text))
    return names


def order_texts(order: Order) -> list[str]:
    """An order as the option takes it."""
    if isinstance(order, str):
        return [order]
    return [part if isinstance(part, str) else " ".join(part) for part in order]


def options_text(options: Mapping[str, Any]) -> str:
    """Options as the native module takes them: paths are texts, what is None is not given."""

    def plain(value: Any) -> Any:
        if isinstance(value, os.PathLike):
            return path_text(value)
        if isinstance(value, Mapping):
            return {str(name): plain(below) for name, below in value.items()}
        if isinstance(value, str | bool | int | float):
            return value
        if isinstance(value, Sequence):
            return [plain(below) for below in value]
        raise TypeError(
            f"an option is text, a number, a path, a list or a mapping of these, not {type(value).__name__}"
        )

    given = {name: plain(value) for name, value in options.items() if value is not None}
    for name in SIZES:
        if isinstance(given.get(name), int):
            given[name] = f"{given[name]}B"
    if "order_by" in given:
        given["order_by"] = order_texts(options["order_by"])
    if isinstance(given.get("schema"), dict):
        # Columns and types; a name that is not plain is quoted.
        from ._schema import Column, Schema

        given["schema"] = str(
            Schema([Column(name, kind) for name, kind in given["schema"].items()])
        )
    return json.dumps(given)
