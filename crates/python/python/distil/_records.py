"""Records of Python as JSON text."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from .errors import InputError


def json_lines(records: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """A line of JSON for each record.

    Raises:
        InputError: for a value that JSON does not have, with the number of the record and the path to the value.
    """
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise _wrong(number, "", f"a mapping is expected, not {type(record).__name__}")
        yield _text(record, number, "").encode() + b"\n"


def _text(value: Any, number: int, path: str) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _wrong(number, path, f"{value} is no JSON number: give None, or text")
        return repr(float(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise _wrong(number, path, f"{value} is no JSON number: give None, or text")
        return str(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise _wrong(
                number, path, "this datetime has no zone: give it one, as with .replace(tzinfo=UTC)"
            )
        return json.dumps(value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z"))
    if isinstance(value, datetime.date):
        return json.dumps(value.isoformat())
    if isinstance(value, bytes | bytearray | memoryview):
        return json.dumps(base64.b64encode(value).decode())
    if isinstance(value, Mapping):
        return (
            "{"
            + ",".join(_member(name, below, number, path) for name, below in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return (
            "["
            + ",".join(_text(below, number, f"{path}[{at}]") for at, below in enumerate(value))
            + "]"
        )
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        # A scalar of NumPy.
        return _text(item(), number, path)
    raise _wrong(number, path, f"a value of the type {type(value).__name__} has no JSON form")


def _member(name: Any, value: Any, number: int, path: str) -> str:
    if not isinstance(name, str):
        raise _wrong(number, path, f"the name of a member is text, not {type(name).__name__}")
    return f"{json.dumps(name)}:{_text(value, number, f'{path}.{name}' if path else name)}"


def _wrong(number: int, path: str, why: str) -> InputError:
    where = f"record {number}, {path}" if path else f"record {number}"
    return InputError(f"{where}: {why}")
