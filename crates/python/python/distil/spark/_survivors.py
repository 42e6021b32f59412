"""One row for every key of a DataFrame of Spark, by the order of ``docs/semantics.md`` 3, as a window of Spark.

Everything is SQL over columns that are renamed by their places first: no name of a user stands in it, so none
needs quotes, and none is taken for another that differs in case alone. It runs on classic sessions and on Spark
Connect alike, and none of it asks Spark for a job.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .._arguments import Columns, Order, column_names, options_text
from .._session import Session
from ..errors import ColumnNotFoundError, Hint, InputError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: The types that Spark orders, by the names of their classes: not every version has all.
_SCALARS = {
    *("NullType", "BooleanType", "ByteType", "ShortType", "IntegerType", "LongType", "FloatType"),
    *("DoubleType", "DecimalType", "StringType", "CharType", "VarcharType", "BinaryType"),
    *("DateType", "TimeType", "TimestampType", "TimestampNTZType"),
    *("DayTimeIntervalType", "YearMonthIntervalType"),
}
_STEP = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


@dataclass(frozen=True)
class Column:
    """A column, or a member of a struct: its type, and the SQL of its value."""

    kind: Any
    sql: str

    @property
    def is_scalar(self) -> bool:
        """Whether it can be a key or an order."""
        return type(self.kind).__name__ in _SCALARS


def drop_duplicates(
    frame: DataFrame,
    subset: Columns | None = None,
    *,
    order_by: Order | None = None,
    keep: Literal["first", "last"] = "first",
    null_keys: Literal["error", "value"] = "error",
) -> DataFrame:
    """One row for every key of any DataFrame of Spark, the same one in every run: that which
    :meth:`distil.DataFrame.drop_duplicates` keeps. ``dropDuplicates`` of Spark keeps whichever arrives first.

    It is lazy, and needs distil on the driver alone. Rows are as they were, in no order. Values are ordered as
    ``docs/semantics.md`` says, nulls last at every level. Of numbers that JSON does not have, the infinities are the
    least and the greatest, and NaN is greater than these and equals itself; 0.0 and -0.0 are equal, and 0.0 stays.

    Args:
        frame: a DataFrame of a classic session or of Spark Connect.
        subset: the columns of the key; without it the whole row. A dot leads into a struct, ``'"a.b"'`` is one name.
        order_by: the order among rows of one key, as ``"updated desc, id"``. The other columns follow it in the
            order of their names.
        keep: the row that stays, the first or the last in that order.
        null_keys: whether a null in the key is an error of Spark when it meets one, or a value like others.

    Raises:
        UsageError: a type has no order (maps, variants ...), two columns have one name, or the frame is a stream.
        ColumnNotFoundError: no column is called so.
    """
    if keep not in ("first", "last"):
        raise UsageError(
            f'keep is "first" or "last", not {keep!r}: one row of every key stays, whatever there is twice'
        )
    if null_keys not in ("error", "value"):
        raise UsageError(f'null_keys is "error" or "value", not {null_keys!r}')
    if frame.isStreaming:
        raise UsageError("a stream has no last row of a key: drop the duplicates of each batch")
    fields = frame.schema.fields
    columns = {field.name: _column(field, at) for at, field in enumerate(fields)}
    if len(columns) < len(fields):
        twice = next(name for name in columns if frame.columns.count(name) > 1)
        raise UsageError(f"two columns have the name {twice}: rename one of them")
    by_name = [columns[name] for name in sorted(columns)]
    key, order = _named(subset, order_by)
    if key is None:
        partition = [_comparable(column.kind, column.sql, False, 0) for column in by_name]
    else:
        partition = [_guarded(path, _found(path, columns, "a key"), null_keys) for path in key]
    terms: list[str] = []
    settled = {path[0] for path in key or [] if len(path) == 1}
    for path, descends in order:
        column = _found(path, columns, "an order")
        if key is not None and path not in key:
            terms += _terms(column.kind, column.sql, descends != (keep == "last"))
            settled |= {path[0]} if len(path) == 1 else set()
    if key is not None:
        for name in sorted(columns.keys() - settled):
            terms += _terms(columns[name].kind, columns[name].sql, keep == "last")
    # Zeros of both signs are equal. Their texts are not, and order the positive one last.
    terms += [f"CAST({column.sql} AS STRING) DESC" for column in by_name if _has_float(column.kind)]
    window = f"PARTITION BY {', '.join(partition)} ORDER BY {', '.join(terms) or '1'}"
    places = [f"c{at}" for at in range(len(fields))]
    ranked = frame.toDF(*places).selectExpr("*", f"row_number() OVER ({window}) AS n")
    return ranked.where("n = 1").select(*places).toDF(*columns)


def _named(
    subset: Columns | None, order_by: Order | None
) -> tuple[list[list[str]] | None, list[tuple[list[str], bool]]]:
    """The paths of the key, None for the whole row, and those of the order with whether they descend."""
    key: Columns = "*" if subset is None else column_names((subset,))
    if not key:
        raise UsageError("the key has no column; without any argument the whole row is the key")
    # A plan is where orders are read; its source and output are those of nobody.
    options = {"source": ["in"], "output": "out", "key": key, "order_by": order_by}
    plan = json.loads(Session(progress=False, config={})._native.plan(options_text(options))[0])
    order = [
        (_steps(term["column"]), term.get("direction") == "desc")
        for term in plan["dedup"].get("order_by", [])
    ]
    return None if subset is None else [_steps(path) for path in key], order


def _steps(path: str) -> list[str]:
    """The names of a path, as distil spells it."""
    return [
        quoted.replace('""', '"') if plain == "" else plain for quoted, plain in _STEP.findall(path)
    ]


def _shown(path: list[str]) -> str:
    return ".".join(
        name if re.fullmatch(r"\w+", name) else '"' + name.replace('"', '""') + '"' for name in path
    )


def _column(field: Any, at: int) -> Column:
    """A column of the frame, whose value has members with names of their places and no collation."""
    compared = _compared(field.dataType, [field.name])
    place = f"c{at}"
    is_same = compared == field.dataType.simpleString()
    return Column(field.dataType, place if is_same else f"CAST({place} AS {compared})")


def _compared(kind: Any, path: list[str]) -> str:
    """The type as SQL: members are ``f0``, ``f1`` ..., as Spark casts structs by their places, and strings with a
    collation are bytes, which order as those of UTF-8.

    Raises:
        UsageError: Spark has no order for it.
    """
    name = type(kind).__name__
    if name == "ArrayType":
        return f"array<{_compared(kind.elementType, path)}>"
    if name == "StructType":
        members = (
            f"f{at}: {_compared(field.dataType, [*path, field.name])}"
            for at, field in enumerate(kind.fields)
        )
        return f"struct<{', '.join(members)}>"
    if name not in _SCALARS:
        raise UsageError(
            f"the column {_shown(path)} has the type {kind.simpleString()}, which has no order",
            hints=[Hint("leave it out of the frame, or make it an array of structs in an order")],
        )
    if name == "StringType" and getattr(kind, "collation", "UTF8_BINARY") != "UTF8_BINARY":
        return "binary"
    return str(kind.simpleString())


def _found(path: list[str], columns: dict[str, Column], role: str) -> Column:
    """The column of a path.

    Raises:
        ColumnNotFoundError: there is none, with those of the nearest names.
        InputError: it is not one of scalars.
    """
    column: Column | None = None
    below = columns
    for step in path:
        column = below.get(step)
        if column is None:
            break
        below = _members(column)
    if column is None:
        shown, literal = _shown(path), ".".join(path)
        alike = [name for name in columns if name.lower() == literal.lower()]
        close = alike or difflib.get_close_matches(literal, list(columns), 3)
        nearest = [_shown([name]) for name in close]
        there = ", ".join(nearest or [_shown([name]) for name in columns])
        raise ColumnNotFoundError(
            f"the frame has no column {shown}",
            code="missing_column",
            hints=[Hint(f"the nearest are {there}" if nearest else f"there are {there}")],
            found={"missing_column": {"column": shown, "nearest": nearest}},
        )
    if not column.is_scalar:
        raise InputError(
            f"the column {_shown(path)} can't be {role}: it has the type {column.kind.simpleString()}",
            hints=[Hint("choose a column of one scalar type")],
        )
    return column


def _members(column: Column) -> dict[str, Column]:
    if type(column.kind).__name__ != "StructType":
        return {}
    return {
        field.name: Column(field.dataType, f"{column.sql}.f{at}")
        for at, field in enumerate(column.kind.fields)
    }


def _guarded(path: list[str], part: Column, null_keys: str) -> str:
    """A part of the key, which is an error where it is null and may not be."""
    value = _comparable(part.kind, part.sql, False, 0)
    if null_keys == "value":
        return value
    text = f'a row has no value in its key, {_shown(path)}: leave such rows out, or say null_keys="value"'
    # As digits: how texts are written depends on the settings of the session.
    message = f"CAST(unhex('{text.encode().hex()}') AS STRING)"
    return f"coalesce({value}, raise_error({message}))"


def _terms(kind: Any, sql: str, descends: bool) -> Iterator[str]:
    """Terms of ``ORDER BY``. Spark orders structs by the places of members, so they are taken apart."""
    if type(kind).__name__ == "StructType":
        yield f"({sql} IS NULL) ASC"
        for at, field in _by_name(kind):
            yield from _terms(field.dataType, f"{sql}.f{at}", descends)
        return
    value = _comparable(kind, sql, descends, 0)
    yield f"{value} {'DESC' if descends else 'ASC'} NULLS LAST"


def _comparable(kind: Any, sql: str, descends: bool, depth: int) -> str:
    """A value that Spark compares as the order says, where it is not null itself."""
    name = type(kind).__name__
    if name in ("FloatType", "DoubleType"):
        return f"CASE WHEN {sql} = 0 THEN CAST(0 AS {kind.simpleString()}) ELSE {sql} END"
    if name == "ArrayType":
        element = f"y{depth}"
        body = _flagged(kind.elementType, element, descends, depth + 1)
        return f"transform({sql}, {element} -> {body})"
    if name == "StructType":
        return _flagged(kind, sql, descends, depth)
    return sql


def _flagged(kind: Any, sql: str, descends: bool, depth: int) -> str:
    """A value beside a flag that puts null last inside of arrays and structs, where Spark puts it first."""
    flag = f"{sql} {'IS NOT NULL' if descends else 'IS NULL'}"
    if type(kind).__name__ != "StructType":
        return f"named_struct('n', {flag}, 'v', {_comparable(kind, sql, descends, depth)})"
    members = (
        f", 'f{at}', {_flagged(field.dataType, f'{sql}.f{at}', descends, depth)}"
        for at, field in _by_name(kind)
    )
    return f"named_struct('n', {flag}{''.join(members)})"


def _by_name(kind: Any) -> list[tuple[int, Any]]:
    return sorted(enumerate(kind.fields), key=lambda member: member[1].name)


def _has_float(kind: Any) -> bool:
    name = type(kind).__name__
    if name == "ArrayType":
        return _has_float(kind.elementType)
    if name == "StructType":
        return any(_has_float(field.dataType) for field in kind.fields)
    return name in ("FloatType", "DoubleType")
