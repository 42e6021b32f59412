"""JSON records to clean Parquet, one record for every key.

>>> import distil, os, tempfile
>>> directory = tempfile.TemporaryDirectory()
>>> incoming, output = os.path.join(directory.name, "in"), os.path.join(directory.name, "events.parquet")
>>> answer = distil.generate(incoming, files=2, records=1000, duplicates=100)
>>> report = (
...     distil.read_json(incoming)
...     .drop_duplicates("ts", order_by="id as text, data")
...     .write_parquet(output, digest=True)
... )
>>> report.rows == answer.keys["ts"].rows
True
>>> distil.verify(output, report).complete
True
>>> directory.cleanup()

The functions of this module are the methods of a :class:`Session` that the configuration describes; it is made when
the first of them is called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, Unpack

from ._arguments import Columns, Order, PathLike, Size, Source
from ._frame import DataFrame
from ._native import VERSION as __version__
from ._progress import Progress, ShowProgress
from ._report import Report
from ._schema import Column, Schema
from ._session import Answer, Backend, KeyAnswer, Plan, Session, Verified
from ._table import Table
from ._versions import show_versions
from .errors import (
    AfterCommitError,
    BadRecord,
    BadRecordsError,
    Cancelled,
    ColumnNotFoundError,
    ConflictError,
    DistilError,
    EnvironmentFailure,
    Hint,
    InputError,
    InternalError,
    OutputExistsError,
    OutputLockedError,
    UsageError,
    VerificationError,
)

if TYPE_CHECKING:
    import pandas

    from ._options import ReadOptions, RunOptions

__all__ = [
    "AfterCommitError",
    "Answer",
    "Backend",
    "BadRecord",
    "BadRecordsError",
    "Cancelled",
    "Column",
    "ColumnNotFoundError",
    "Columns",
    "ConflictError",
    "DataFrame",
    "DistilError",
    "EnvironmentFailure",
    "Hint",
    "InputError",
    "InternalError",
    "KeyAnswer",
    "Order",
    "OutputExistsError",
    "OutputLockedError",
    "PathLike",
    "Plan",
    "Progress",
    "Report",
    "Schema",
    "Session",
    "ShowProgress",
    "Size",
    "Source",
    "Table",
    "UsageError",
    "VerificationError",
    "Verified",
    "__version__",
    "backends",
    "digest",
    "from_arrow",
    "from_pandas",
    "from_records",
    "generate",
    "plan",
    "read_json",
    "read_parquet",
    "run",
    "schema",
    "show_versions",
    "verify",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")


@functools.cache
def _session() -> Session:
    return Session()


def _documented(method: Callable[..., object]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Gives a function the documentation of the method that it stands for."""

    def document(function: Callable[_P, _R]) -> Callable[_P, _R]:
        function.__doc__ = method.__doc__
        return function

    return document


@_documented(Session.read_json)
def read_json(source: Source, /, **options: Unpack[ReadOptions]) -> DataFrame:
    return _session().read_json(source, **options)


@_documented(Session.read_parquet)
def read_parquet(source: Source, /) -> DataFrame:
    return _session().read_parquet(source)


@_documented(Session.from_arrow)
def from_arrow(data: Any, /) -> DataFrame:
    return _session().from_arrow(data)


@_documented(Session.from_pandas)
def from_pandas(data: pandas.DataFrame, /) -> DataFrame:
    return _session().from_pandas(data)


@_documented(Session.from_records)
def from_records(
    records: Iterable[Mapping[str, object]], /, **options: Unpack[ReadOptions]
) -> DataFrame:
    return _session().from_records(records, **options)


def run(
    source: Source | None = None,
    output: PathLike | None = None,
    *,
    key: Columns | None = None,
    job: str | None = None,
    plan: Plan | Mapping[str, Any] | PathLike | None = None,
    dry_run: bool = False,
    config: PathLike | Mapping[str, Any] | None = None,
    progress: ShowProgress = "auto",
    **options: Unpack[RunOptions],
) -> Report:
    """Runs a whole job, as ``distil run`` does: what is given here, then what the ``job`` of the configuration says;
    or a ``plan``, which takes nothing beside it but what says how it is run. All options of ``docs/configuration.md``
    are arguments, by the same names.
    """
    told: dict[str, Any] = dict(options)
    resources = {
        name: told.pop(name, None) for name in ("backend", "threads", "memory", "temp_dir")
    }
    session = Session(config=config, progress=progress, **resources)
    return session.run(source, output, key=key, job=job, plan=plan, dry_run=dry_run, **told)


@_documented(Session.plan)
def plan(
    source: Source | None = None,
    output: PathLike | None = None,
    *,
    key: Columns | None = None,
    job: str | None = None,
    **options: Any,
) -> Plan:
    return _session().plan(source, output, key=key, job=job, **options)


@_documented(Session.schema)
def schema(source: Source, /, **options: Unpack[ReadOptions]) -> Schema:
    return _session().schema(source, **options)


@_documented(Session.generate)
def generate(
    directory: PathLike,
    *,
    files: int,
    records: int,
    duplicates: int = 0,
    spread: int = 0,
    date: str = "20190423",
    days: int = 30,
    seed: int = 0,
    shape: Literal["document", "array", "lines"] = "document",
    gzip: bool = False,
) -> Answer:
    return _session().generate(
        directory,
        files=files,
        records=records,
        duplicates=duplicates,
        spread=spread,
        date=date,
        days=days,
        seed=seed,
        shape=shape,
        gzip=gzip,
    )


@_documented(Session.verify)
def verify(output: PathLike, reference: PathLike | Report | None = None) -> Verified:
    return _session().verify(output, reference)


@_documented(Session.digest)
def digest(output: PathLike) -> str:
    return _session().digest(output)


@_documented(Session.backends)
def backends(*, check: bool = False) -> list[Backend]:
    return _session().backends(check=check)
