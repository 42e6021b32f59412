"""Rows in memory."""

from __future__ import annotations

import html
import json
from typing import Any

from . import _native
from ._exports import Exports
from ._schema import Schema
from ._values import decimals, row_reader

#: Rows and characters of a cell that are shown.
_SHOWN_ROWS = 10
_SHOWN_CELL = 40


class Table(Exports):
    """Rows in memory. Nothing has to be installed to look at them; everybody's tools take them by Arrow:
    ``pl.DataFrame(table)``, ``pa.table(table)``, ``duckdb.sql("from table")``.
    """

    def __init__(self, rows: _native.Rows) -> None:
        self._rows = rows
        self._columns: list[dict[str, Any]] = json.loads(rows.columns())

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return self._rows.num_rows

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [column["name"] for column in self._columns]

    @property
    def schema(self) -> Schema:
        """The columns and their types."""
        return Schema._of(self._columns)

    def __len__(self) -> int:
        return self._rows.num_rows

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dictionaries of Python values. Instants are in UTC and end with microseconds; decimals are
        ``Decimal``, ``json`` columns hold JSON text.
        """
        read = row_reader(self._columns)
        return [read(image) for image in self._rows.images(0, self.num_rows)]

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._rows.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._rows.__arrow_c_schema__()

    def _cells(self) -> list[list[str]]:
        shown = []
        for image in self._rows.images(0, _SHOWN_ROWS):
            row = json.loads(image, parse_float=str)
            shown.append(
                [_cell(row.get(column["name"]), column["tree"]) for column in self._columns]
            )
        return shown

    def _more(self) -> str:
        rows = f"{self._rows.total:,} row{'' if self._rows.total == 1 else 's'}"
        shown = min(self.num_rows, _SHOWN_ROWS)
        return rows if shown == self._rows.total else f"{rows}, {shown:,} shown"

    def __repr__(self) -> str:
        head = [
            [_printable(column["name"]), _printable(column["type"])] for column in self._columns
        ]
        cells = [[_printable(cell) for cell in row] for row in self._cells()]
        rows = [[name for name, _ in head], [kind[:_SHOWN_CELL] for _, kind in head], *cells]
        widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        lines.insert(2, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, self._more()])

    def _repr_html_(self) -> str:
        cell = (
            'style="padding:2px 10px;text-align:left;border-bottom:1px solid rgba(128,128,128,.35)"'
        )
        small = 'style="opacity:.65;font-weight:normal;font-size:85%"'
        head = "".join(
            f'<th scope="col" {cell}>{_escaped(column["name"])}<br><span {small}>{_escaped(column["type"][:80])}</span></th>'
            for column in self._columns
        )
        body = "".join(
            "<tr>" + "".join(f"<td {cell}>{_escaped(text)}</td>" for text in row) + "</tr>"
            for row in self._cells()
        )
        return (
            f'<div style="overflow-x:auto"><table style="border-collapse:collapse"><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table><span {small}>{self._more()}</span></div>"
        )


def _cell(value: Any, tree: dict[str, Any]) -> str:
    if value is None:
        return "null"
    if tree["name"] == "decimal":
        # JSON has no zeros at its end.
        return str(decimals(tree["scale"])(value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CELL else text[: _SHOWN_CELL - 1] + "…"


def _printable(text: str) -> str:
    return _native.printable(text)


def _escaped(text: str) -> str:
    return html.escape(_printable(text))
