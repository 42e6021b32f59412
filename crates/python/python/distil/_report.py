"""The report of a run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from . import _native
from ._schema import Schema

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Duplicates:
    """Records that lost to a survivor."""

    #: Equal to it in every column.
    identical: int = 0
    #: Of the same key, but different.
    conflicting: int = 0


@dataclass(frozen=True)
class Quarantined:
    """What was set aside."""

    records: int = 0
    #: Ranges of bytes in which no records could be told apart.
    ranges: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Records:
    """What became of the records: read = accepted + quarantined, and accepted = written + duplicates."""

    read: int = 0
    accepted: int = 0
    written: int = 0
    duplicates: Duplicates = field(default_factory=Duplicates)
    quarantined: Quarantined = field(default_factory=Quarantined)
    ignored_members: int = 0
    rounded: int = 0
    converted: int = 0
    nulled: int = 0


@dataclass(frozen=True)
class Conflict:
    """Two different records of one key, null columns left out."""

    kept: dict[str, Any]
    dropped: dict[str, Any]


@dataclass(frozen=True)
class Input:
    """What one file held."""

    path: str
    bytes: int
    shape: str
    compression: str
    records: int
    quarantined: int
    ignored_members: list[str]


@dataclass(frozen=True)
class Output:
    """What was written."""

    path: str = ""
    files: int = 0
    bytes: int = 0
    row_groups: int = 0
    digest: str | None = None


@dataclass(frozen=True)
class Stage:
    """Time and work of one stage."""

    name: str
    seconds: float
    cpu_seconds: float
    bytes: int
    rows: int


@dataclass(frozen=True)
class Node:
    """What tasks used on a node of a cluster."""

    host: str
    tasks: int = 0
    #: Time that tasks took, one after another.
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    #: The largest resident size of a process that ran tasks.
    peak_memory_bytes: int = 0


@dataclass(frozen=True)
class Resources:
    """What the run used."""

    seconds: float = 0.0
    #: Of this process, and of all tasks on the nodes of a cluster.
    cpu_seconds: float = 0.0
    threads: int = 0
    peak_memory_bytes: int = 0
    spilled_bytes: int = 0
    nodes: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """What a run did: the report of the command, with types. A run that failed has one as well (`error.report`).

    In a notebook it is a picture, `str(report)` is the closing table of the command.
    """

    _data: Mapping[str, Any]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """The report that `to_dict` gave."""
        return cls(dict(data))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Report:
        """Reads a report that a run wrote as JSON."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    @property
    def status(self) -> Literal["done", "failed", "dry_run", "empty"]:
        """How the run ended. Empty: there was no record and no declared schema, and nothing was written."""
        status: Literal["done", "failed", "dry_run", "empty"] = self._data["status"]
        return status

    @property
    def backend(self) -> str:
        """The name of the backend."""
        return str(self._data["backend"])

    @property
    def rows(self) -> int:
        """The rows of the output."""
        return self.records.written

    @cached_property
    def records(self) -> Records:
        """What became of the records."""
        told = dict(self._data["records"])
        told["duplicates"] = _part(Duplicates, told.get("duplicates", {}))
        told["quarantined"] = _part(Quarantined, told.get("quarantined", {}))
        return _part(Records, told)

    @cached_property
    def conflicts(self) -> list[Conflict]:
        """The first ten conflicts, in the order of the key."""
        return [_part(Conflict, conflict) for conflict in self._data["conflicts"]]

    @cached_property
    def inputs(self) -> list[Input]:
        """The inputs, in order."""
        return [_part(Input, told) for told in self._data["inputs"]]

    @cached_property
    def schema(self) -> Schema:
        """The columns of the output."""
        return Schema._of(self._data["schema"])

    @cached_property
    def output(self) -> Output:
        """What was written."""
        return _part(Output, self._data["output"])

    @cached_property
    def stages(self) -> list[Stage]:
        """Time and work by stage."""
        return [_part(Stage, told) for told in self._data["stages"]]

    @cached_property
    def resources(self) -> Resources:
        """What the run used."""
        told = dict(self._data["resources"])
        told["nodes"] = [_part(Node, node) for node in told.get("nodes", [])]
        return _part(Resources, told)

    @property
    def warnings(self) -> list[str]:
        """Things to know, a sentence each."""
        return list(self._data["warnings"])

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data: what the command writes with `--report`."""
        data: dict[str, Any] = json.loads(self.to_json())
        return data

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self._data, ensure_ascii=False, indent=2)

    def to_html(self) -> str:
        """The report as a page of its own, as the command writes it to a file of the name `*.html`."""
        return _native.report_page(self._text())

    def to_markdown(self) -> str:
        """The report as a table of Markdown, for tools that show that."""
        records, output = self.records, self.output
        files = "file" if output.files == 1 else "files"
        rows = [
            ("status", self.status),
            ("output", output.path),
            ("records", f"{records.read:,}"),
            ("rows", f"{records.written:,}"),
            ("identical duplicates", f"{records.duplicates.identical:,}"),
            ("conflicting duplicates", f"{records.duplicates.conflicting:,}"),
            ("quarantined", f"{records.quarantined.records + records.quarantined.ranges:,}"),
            ("written", f"{_native.format_bytes(output.bytes)} in {output.files:,} {files}"),
            ("seconds", f"{self.resources.seconds:.2f}"),
            *[("warning", warning) for warning in self.warnings],
        ]
        cells = [
            f"| {name} | {_native.printable(text).replace('|', chr(92) + '|')} |"
            for name, text in rows
        ]
        return "\n".join(["| | |", "|---|---|", *cells]) + "\n"

    def metrics(self) -> dict[str, int | float | str]:
        """Flat scalars, for orchestrators."""
        records, resources = self.records, self.resources
        return {
            "status": self.status,
            "backend": self.backend,
            "records_read": records.read,
            "records_accepted": records.accepted,
            "rows": records.written,
            "duplicates_identical": records.duplicates.identical,
            "duplicates_conflicting": records.duplicates.conflicting,
            "quarantined_records": records.quarantined.records,
            "quarantined_ranges": records.quarantined.ranges,
            "inputs": len(self.inputs),
            "input_bytes": sum(found.bytes for found in self.inputs),
            "output": self.output.path,
            "output_files": self.output.files,
            "output_bytes": self.output.bytes,
            "digest": self.output.digest or "",
            "seconds": resources.seconds,
            "cpu_seconds": resources.cpu_seconds,
            "peak_memory_bytes": resources.peak_memory_bytes,
            "spilled_bytes": resources.spilled_bytes,
            "warnings": len(self.warnings),
        }

    def _text(self) -> str:
        return json.dumps(self._data, ensure_ascii=False)

    def __str__(self) -> str:
        error = self._data.get("error")
        if error is not None:
            return f"{self.status}: {_native.printable(error['what'])}"
        return _native.report_table(self._text()).rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return _native.report_html(self._text())


def _part(kind: type[_Part], told: Mapping[str, Any]) -> _Part:
    """A part of the report; what a newer version adds is left out."""
    names = {member.name for member in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in told.items() if name in names})
