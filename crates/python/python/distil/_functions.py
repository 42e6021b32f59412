"""The functions of the module: the methods of a session that the configuration describes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, Unpack

from ._arguments import Columns, PathLike, Source
from ._frame import DataFrame
from ._progress import ShowProgress
from ._report import Report
from ._schema import Schema
from ._session import Answer, Backend, Plan, Session, Verified

if TYPE_CHECKING:
    import pandas

    from ._options import ReadOptions, RunOptions

_P = ParamSpec("_P")
_R = TypeVar("_R")


@functools.cache
def default_session() -> Session:
    """The session of the functions, made when the first of them is called."""
    return Session()


def _documented(method: Callable[..., object]) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Gives a function the documentation of the method that it stands for."""

    def document(function: Callable[_P, _R]) -> Callable[_P, _R]:
        function.__doc__ = method.__doc__
        return function

    return document


@_documented(Session.read_json)
def read_json(source: Source, /, **options: Unpack[ReadOptions]) -> DataFrame:
    return default_session().read_json(source, **options)


@_documented(Session.read_parquet)
def read_parquet(source: Source, /) -> DataFrame:
    return default_session().read_parquet(source)


@_documented(Session.from_arrow)
def from_arrow(data: Any, /) -> DataFrame:
    return default_session().from_arrow(data)


@_documented(Session.from_pandas)
def from_pandas(data: pandas.DataFrame, /) -> DataFrame:
    return default_session().from_pandas(data)


@_documented(Session.from_records)
def from_records(
    records: Iterable[Mapping[str, object]], /, **options: Unpack[ReadOptions]
) -> DataFrame:
    return default_session().from_records(records, **options)


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
    return default_session().plan(source, output, key=key, job=job, **options)


@_documented(Session.schema)
def schema(source: Source, /, **options: Unpack[ReadOptions]) -> Schema:
    return default_session().schema(source, **options)


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
    return default_session().generate(
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
    return default_session().verify(output, reference)


@_documented(Session.digest)
def digest(output: PathLike) -> str:
    return default_session().digest(output)


@_documented(Session.backends)
def backends(*, check: bool = False) -> list[Backend]:
    return default_session().backends(check=check)
