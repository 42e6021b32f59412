"""The errors of distil, sorted by who must act.

Each says what happened and where, what became of the output, and what to do. The first line is ``str(error)``; all
else stands in its notes, so that tracebacks, notebooks and pytest show it:

>>> import distil
>>> try:
...     distil.read_json("nowhere/").count()
... except distil.InputError as error:
...     print(error, error.code, error.exit_status)
nowhere/: there is no such file or directory not_found 1
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ._report import Conflict, Report

__all__ = [
    "AfterCommitError",
    "BadRecord",
    "BadRecordsError",
    "Cancelled",
    "ColumnNotFoundError",
    "ConflictError",
    "DistilError",
    "EnvironmentFailure",
    "Hint",
    "InputError",
    "InternalError",
    "OutputExistsError",
    "OutputLockedError",
    "UsageError",
    "VerificationError",
]


@dataclass(frozen=True)
class Hint:
    """What to do about an error: a sentence and, where one option is enough, that option and its value."""

    text: str
    option: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        if self.option is None:
            return self.text
        if self.value is None:
            return f"{self.text}: {self.option}=..."
        return f"{self.text}: {self.option}={_spelled(self.option, self.value)}"


def _spelled(option: str, value: str) -> str:
    """The value of an option as Python spells it."""
    if value in ("true", "false"):
        return str(value == "true")
    column, equals, data_type = value.partition("=")
    if option == "types" and equals and '"' not in column:
        return (
            f"{{{column!r}: {data_type!r}}}".replace("'", '"')
            if "'" not in value
            else repr({column: data_type})
        )
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class BadRecord:
    """A record, or a range of bytes, that could not be read."""

    path: str
    #: The first byte of it in the content of the file, decompressed.
    offset: int
    #: The word that the quarantine has for it, such as ``invalid_json``.
    reason: str
    #: What exactly does not fit.
    detail: str


class DistilError(Exception):
    """Any error of distil."""

    #: One sentence: what happened.
    what: str
    #: The stable word of this kind of error, as in the report: ``bad_records``, ``exists`` ...
    code: str
    #: The file or directory that it is about.
    path: str | None
    #: The byte in it, in the content decompressed.
    offset: int | None
    #: The line of that byte, from 1, where it is known.
    line: int | None
    #: What was found, a line each.
    details: list[str]
    #: What became of the output.
    output: str | None
    #: What to do.
    hints: list[Hint]
    #: The status that the command ends with.
    exit_status: int
    #: The report of the run that failed, if there was one.
    report: Report | None
    #: Whether the same call may succeed later without a change to the data or the code.
    retryable: bool

    def __init__(self, what: str = "", **known: Any) -> None:
        super().__init__(known.pop("first_line", what))
        self.what = what
        self.code = known.pop("code", _CODES.get(type(self).__name__, "input"))
        self.path = known.pop("path", None)
        self.offset = known.pop("offset", None)
        self.line = known.pop("line", None)
        self.details = known.pop("details", [])
        self.output = known.pop("output", None)
        self.hints = known.pop("hints", [])
        self.exit_status = known.pop("exit_status", None) or _STATUSES[self.code]
        self.report = known.pop("report", None)
        self.retryable = self.code == "locked" or isinstance(self, EnvironmentFailure)
        self._found: Mapping[str, Any] = known.pop("found", None) or {}
        if known:
            raise TypeError(f"an error knows nothing of {', '.join(known)}")
        for line in self.details:
            self.add_note(line)
        if self.output is not None:
            self.add_note(f"output: {self.output}")
        for hint in self.hints:
            self.add_note(f"help: {hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Arguments by name, and the notes, would be lost where processes hand errors to each other.
        return _restored, (type(self), str(self), dict(self.__dict__))


def _restored(kind: type[DistilError], first_line: str, known: dict[str, Any]) -> DistilError:
    error = kind.__new__(kind, first_line)
    Exception.__init__(error, first_line)
    error.__dict__.update(known)
    return error


class InputError(DistilError, ValueError):
    """The input is at fault."""


class BadRecordsError(InputError):
    """Records are bad, and are not set aside, or are more than may be."""

    @property
    def records(self) -> list[BadRecord]:
        """The first ten of them."""
        return [BadRecord(**record) for record in self._found.get("records") or []]


class ConflictError(InputError):
    """Records of one key differ, and must not."""

    @property
    def conflicts(self) -> list[Conflict]:
        """The first ten of them."""
        return self.report.conflicts if self.report else []


class ColumnNotFoundError(InputError):
    """No record has a column that is named."""

    @property
    def column(self) -> str | None:
        """The column."""
        return (self._found.get("missing_column") or {}).get("column")

    @property
    def nearest(self) -> list[str]:
        """The columns that are called most like it."""
        return list((self._found.get("missing_column") or {}).get("nearest", []))


class VerificationError(InputError):
    """An output is not what it should be."""


class UsageError(DistilError, ValueError):
    """The call, the configuration or the plan is wrong."""


class EnvironmentFailure(DistilError, OSError):
    """Disk, network, permission or a backend is at fault."""


class AfterCommitError(DistilError):
    """The output is there, but its report or a final sync failed: do not run it again."""


class OutputExistsError(DistilError, FileExistsError):
    """The output exists, and is not to be replaced."""


class OutputLockedError(OutputExistsError):
    """Another run is writing the output."""


class Cancelled(DistilError):
    """``Session.cancel`` stopped the run."""


class InternalError(DistilError, RuntimeError):
    """distil itself is wrong."""


_OF_CODES: dict[str, type[DistilError]] = {
    "bad_records": BadRecordsError,
    "too_many_bad_records": BadRecordsError,
    "conflicts": ConflictError,
    "missing_column": ColumnNotFoundError,
    "locked": OutputLockedError,
}
_OF_FAULTS: dict[str, tuple[type[DistilError], str, int]] = {
    "input": (InputError, "input", 1),
    "usage": (UsageError, "usage", 2),
    "environment": (EnvironmentFailure, "environment", 3),
    "after_commit": (AfterCommitError, "after_commit", 4),
    "exists": (OutputExistsError, "exists", 5),
    "interrupted": (Cancelled, "interrupted", 130),
    "terminated": (Cancelled, "terminated", 143),
    "bug": (InternalError, "bug", 70),
}
# What an error is that was made in Python, by its class.
_CODES = {kind.__name__: code for kind, code, _ in _OF_FAULTS.values()} | {
    kind.__name__: code for code, kind in _OF_CODES.items()
}
_STATUSES = {code: status for _, code, status in _OF_FAULTS.values()} | {
    code: 5 if code == "locked" else 1 for code in _OF_CODES
}


def _of_native(text: str, report: str | None) -> DistilError:
    """The exception of an error that the native module tells as JSON."""
    from ._report import Report

    told = json.loads(text)
    kind, _, status = _OF_FAULTS[told["fault"]]
    place = told.get("place") or {}
    return _OF_CODES.get(told["code"], kind)(
        told["what"],
        first_line=told["first_line"],
        code=told["code"],
        path=place.get("path"),
        offset=place.get("offset"),
        line=place.get("line"),
        details=told.get("details", []),
        output=told.get("output"),
        hints=[Hint(**hint) for hint in told.get("hints", [])],
        exit_status=status,
        report=Report.from_dict(json.loads(report)) if report else None,
        found={name: told.get(name) for name in ("records", "missing_column")},
    )


_Kind = TypeVar("_Kind", bound=DistilError)


def _as(kind: type[_Kind], error: DistilError) -> _Kind:
    """The same error as one of a class that only the caller can know."""
    known = {
        name: getattr(error, name)
        for name in ("code", "path", "offset", "line", "details", "output", "hints")
    }
    return kind(
        error.what,
        first_line=str(error),
        exit_status=error.exit_status,
        report=error.report,
        **known,
    )
