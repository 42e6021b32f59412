"""Values of rows as Python has them."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any, TypeAlias

Convert: TypeAlias = Callable[[Any], Any]
#: More digits than a column can have.
_DIGITS = Context(prec=100)


class _Number(str):
    """The text of a number with a point or an exponent, until its type is known."""


def row_reader(columns: list[dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """A function that makes a dictionary of the JSON text of a row; its null columns are there."""
    converts = [(column["name"], _convert(column["tree"])) for column in columns]

    def read(text: str) -> dict[str, Any]:
        found = json.loads(text, parse_float=_Number)
        return {
            name: None if found.get(name) is None else convert(found[name])
            for name, convert in converts
        }

    return read


def _convert(tree: dict[str, Any]) -> Convert:
    """What makes a value of a type of the value that JSON has for it."""
    name = tree["name"]
    if name == "list":
        element = _convert(tree["element"])
        return lambda values: [None if value is None else element(value) for value in values]
    if name == "struct":
        members = [(member, _convert(below)) for member, below in tree["members"]]
        return lambda value: {
            member: None if value.get(member) is None else convert(value[member])
            for member, convert in members
        }
    if name == "json":
        return _json_text
    simple = {
        "float32": float,
        "float64": float,
        "decimal": decimals(tree.get("scale", 0)),
        "timestamp": _instant,
        "date": datetime.date.fromisoformat,
        "binary": base64.b64decode,
    }
    return simple.get(name, lambda value: value)


def decimals(scale: int) -> Convert:
    """Decimals of a column, with all digits that it has after the point."""
    unit = Decimal(1).scaleb(-scale)
    return lambda value: Decimal(str(value)).quantize(unit, context=_DIGITS)


def _instant(text: str) -> datetime.datetime:
    """An instant in UTC. Python holds microseconds: what lies below them is cut off."""
    head, dot, fraction = text.removesuffix("Z").partition(".")
    return datetime.datetime.fromisoformat(f"{head}{dot}{fraction[:6]}+00:00")


def _json_text(value: Any) -> str:
    """JSON text, which is what a column of the type `json` holds."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{_json_text(name)}:{_json_text(below)}" for name, below in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(_json_text(below) for below in value) + "]"
    return json.dumps(value, ensure_ascii=False)
