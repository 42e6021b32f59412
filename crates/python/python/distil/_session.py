"""Sessions, and what can be asked of them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Unpack

from . import _log, _native
from ._arguments import Columns, PathLike, Size, Source, options_text, path_text, source_texts
from ._frame import DataFrame, Origin
from ._progress import ShowProgress, Watching
from ._records import json_lines
from ._report import Report
from ._schema import Schema
from .errors import (
    EnvironmentFailure,
    Hint,
    InputError,
    UsageError,
    VerificationError,
    _as,
)

if TYPE_CHECKING:
    import pandas
    from pyspark.sql import SparkSession

    from ._options import JobOptions, ReadOptions
    from .spark._kernels import SparkKernels


class Plan(dict[str, Any]):
    """What a run is to do, as plain data: ``json.dumps(dict(plan))`` is what ``distil plan`` prints."""

    def to_json(self) -> str:
        """The plan as JSON text."""
        return json.dumps(self, ensure_ascii=False, indent=2)


@dataclass(frozen=True)
class Backend:
    """An engine that can be named."""

    name: str
    #: What it is: ``native``, ``pandas``, ``external``, ``spark``, ``spark-submit``.
    engine: str
    #: Where it is, for people.
    place: str
    #: The versions of what runs there, or the error; None where nobody asked.
    answer: str | None = None
    #: Whether it could run a plan now; None where nobody asked.
    works: bool | None = None


@dataclass(frozen=True)
class Verified:
    """What :func:`verify` found."""

    rows: int
    digest: str
    #: What was checked, as ``columns``, and against what; or why it was not.
    checks: dict[str, str]
    #: Whether everything was checked.
    complete: bool


@dataclass(frozen=True)
class KeyAnswer:
    """The right answer for one key."""

    rows: int
    digest: str
    identical: int
    conflicting: int


@dataclass(frozen=True)
class Answer:
    """The right answers for generated data, computed from its parameters alone."""

    records: int
    #: By key: ``"ts"`` and ``"id,ts"``.
    keys: dict[str, KeyAnswer]


class Session:
    """A backend, and what this process may use. The functions of the module are methods here, on a session of one's
    own.

    Args:
        backend: the name of a backend in the configuration, an engine, a URL, or a session of Spark, which
            then does the work (:mod:`distil.spark`). Without it the environment decides, then the configuration,
            then it is the native engine.
        config: a configuration file, or what one would hold. Without it ``./distil.toml`` is read.
        threads: the threads that runs may use, by default the cores of this process.
        memory: the memory that runs may use, by default 80 % of what this process may use.
        temp_dir: where temporary files go, by default beside the output.
        progress: ``"auto"`` shows progress on a terminal and in a notebook, a callable gets a
            :class:`~distil.Progress` at most ten times a second.

    >>> import distil
    >>> session = distil.Session(threads=1, progress=False)
    >>> session.from_records([{"id": 1}, {"id": 1}, {"id": 2}]).drop_duplicates("id").count()
    2
    """

    def __init__(
        self,
        backend: str | SparkSession | SparkKernels | None = None,
        *,
        config: PathLike | Mapping[str, Any] | None = None,
        threads: int | None = None,
        memory: Size | None = None,
        temp_dir: PathLike | None = None,
        progress: ShowProgress = "auto",
    ) -> None:
        self._spark: SparkKernels | None = None
        if backend is not None and not isinstance(backend, str):
            from .spark._kernels import SparkKernels

            self._spark, backend = SparkKernels.of(backend), None
        self._backend = backend
        self._config = config
        # It stays where it is when the process goes to another directory.
        scratch = None if temp_dir is None else os.path.abspath(path_text(temp_dir))
        self._resources = {"threads": threads, "memory": memory, "temp_dir": scratch}
        Watching(progress)
        self._progress = progress
        self._native = self._open(None)

    def _open(self, job: str | None) -> _native.Session:
        file, values = None, None
        if isinstance(self._config, Mapping):
            values = json.dumps(self._config, default=os.fspath)
        elif self._config is not None:
            file = path_text(self._config)
        spark = {} if self._spark is None else self._spark.backend()
        return _native.Session(
            self._backend, file, values, options_text(self._resources), job, **spark
        )

    def read_json(self, source: Source, /, **options: Unpack[ReadOptions]) -> DataFrame:
        """The records of JSON files, directories or globs. The options are those of ``docs/configuration.md``:
        ``records``, ``types``, ``quarantine`` ...
        """
        frame = self._native.read_json(source_texts(source), options_text(options))
        return DataFrame(self, frame, Origin(is_read_each_time=True))

    def read_parquet(self, source: Source, /) -> DataFrame:
        """The rows of Parquet files or directories of them, of distil or of others, in every codec but LZO. Every value
        is carried exactly. Without a step that gives them another order they come sorted by the whole row, not in
        that of the files.
        """
        return DataFrame(self, self._native.read_parquet(source_texts(source)), Origin())

    def from_arrow(self, data: Any, /) -> DataFrame:
        """The rows of anything that gives them by Arrow: pyarrow, Polars, DuckDB, arro3, pandas 3."""
        return DataFrame(self, self._native.read_arrow(data), Origin())

    def from_pandas(self, data: pandas.DataFrame, /) -> DataFrame:
        """The rows of a DataFrame of pandas, without its index. It needs pyarrow."""
        import pyarrow

        return self.from_arrow(pyarrow.Table.from_pandas(data, preserve_index=False))

    def from_records(
        self, records: Iterable[Mapping[str, object]], /, **options: Unpack[ReadOptions]
    ) -> DataFrame:
        """Records of Python, such as a page of an API. They are read as JSON is: integers of any size, ``Decimal``,
        ``datetime`` with a zone, ``date`` and ``bytes`` (base64) keep their values.

        Raises:
            InputError: for NaN, infinities and a ``datetime`` without a zone, with the record and the path.
        """
        kept = _KeptRecords(records, self._resources["temp_dir"])
        frame = self._native.read_json([kept.path], options_text({"shape": "lines", **options}))
        alias = (kept.path, "records of Python")
        return DataFrame(self, frame, Origin(is_read_each_time=True, keep=kept, alias=alias))

    def run(
        self,
        source: Source | None = None,
        output: PathLike | None = None,
        *,
        key: Columns | None = None,
        job: str | None = None,
        plan: Plan | Mapping[str, Any] | PathLike | None = None,
        dry_run: bool = False,
        **options: Unpack[JobOptions],
    ) -> Report:
        """Runs a whole job, as ``distil run`` does: what is given here, then what the ``job`` of the configuration
        says; or a ``plan``, which takes nothing beside it but a report.
        """
        if "backend" in options:
            raise UsageError(
                "a session has its backend: name it in Session(...), or use distil.run"
            )
        native = self._open(job) if job is not None and self._backend is None else self._native
        if plan is not None:
            beside = {"source": source, "output": output, "key": key, "job": job, **options}
            given = [
                name for name, value in beside.items() if value is not None and name != "report"
            ]
            if given:
                raise UsageError(
                    f"a plan is whole, and takes nothing beside it: {', '.join(given)}"
                )
            text = (
                json.dumps(dict(plan))
                if isinstance(plan, Mapping)
                else native.read_plan(path_text(plan))
            )
            report = options.get("report")
            report = None if report is None else path_text(report)
        else:
            text, report = native.plan(_job_text(source, output, key, options), job)
        with Watching(self._progress) as watch:
            done = Report.from_dict(json.loads(native.run(text, report, watch, dry_run)))
        _log.warn(done.warnings)
        return done

    def plan(
        self,
        source: Source | None = None,
        output: PathLike | None = None,
        *,
        key: Columns | None = None,
        job: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Plan:
        """The plan that :meth:`run` would run, as plain data."""
        return Plan(json.loads(self._native.plan(_job_text(source, output, key, options), job)[0]))

    def schema(self, source: Source, /, **options: Unpack[ReadOptions]) -> Schema:
        """The schema of JSON records, from all the data."""
        if options.get("quarantine") is not None:
            # What is set aside says nothing of the types.
            return self.read_json(source, **options).schema()
        with Watching(self._progress) as watch:
            told = json.loads(
                self._native.infer(source_texts(source), options_text(options), watch)
            )
        return Schema._of(told["columns"], told["warnings"])

    def digest(self, output: PathLike) -> str:
        """The digest of an output: equal rows have equal digests, on any backend."""
        return self._native.digest(path_text(output))

    def verify(self, output: PathLike, reference: PathLike | Report | None = None) -> Verified:
        """Checks an output against its own footers and, if given, a reference: another output, the report of a
        run, or the answer of generated data.

        Raises:
            VerificationError: names the first thing that differs, with both values.
        """
        with contextlib.ExitStack() as stack:
            is_report = isinstance(reference, Report)
            if isinstance(reference, Report):
                file = stack.enter_context(
                    tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8")
                )
                file.write(reference.to_json())
                file.flush()
                reference = file.name
            path = None if reference is None else path_text(reference)
            try:
                told = json.loads(self._native.verify(path_text(output), path))
            except InputError as error:
                raise _as(VerificationError, error) from None
        checks = {check["aspect"]: check["how"] for check in told["checks"]}
        if is_report and path is not None:
            checks = {aspect: how.replace(path, "the report") for aspect, how in checks.items()}
        return Verified(
            told["rows"], told["digest"], checks, all(check["done"] for check in told["checks"])
        )

    def generate(
        self,
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
        """Writes data with a known answer into a directory: ``files`` files of ``records`` records each, and
        ``duplicates`` more, of which ``spread`` per cent lie in other files than their originals. The answer is
        written beside the directory as well, as ``DIRECTORY.answer.json``.
        """
        day = date.replace("-", "")
        if not day.isdecimal():
            raise UsageError(f"date is a day such as 20190423, not {date!r}")
        parameters = {
            "files": files,
            "records": records,
            "duplicates": duplicates,
            "spread": spread,
            "date": int(day),
            "days": days,
            "seed": seed,
            "shape": shape,
            "gzip": gzip,
        }
        told = json.loads(self._native.generate(path_text(directory), json.dumps(parameters)))
        keys = {
            name: KeyAnswer(answer["rows"], answer["digest"], **answer["duplicates"])
            for name, answer in told["keys"].items()
        }
        return Answer(told["records"], keys)

    def backends(self, *, check: bool = False) -> list[Backend]:
        """The backends that can be named here; `check` asks each whether it could run a plan now."""
        found = [Backend(**told) for told in json.loads(self._native.backends())]
        return [self._asked(backend) for backend in found] if check else found

    def _asked(self, backend: Backend) -> Backend:
        known = {member.name: getattr(backend, member.name) for member in fields(backend)}
        try:
            answer = Session(backend.name, config=self._config, progress=False).check()
        except Exception as error:
            return Backend(**{**known, "answer": str(error), "works": False})
        return Backend(**{**known, "answer": answer, "works": True})

    def check(self) -> str:
        """The versions of what runs here.

        Raises:
            EnvironmentFailure: what is missing, with the command that mends it.
        """
        return self._native.check()

    def cancel(self) -> None:
        """Stops what this session runs, from another thread; those calls raise :class:`~distil.Cancelled` once
        nothing is left behind.
        """
        self._native.cancel()

    def __repr__(self) -> str:
        threads, memory = self._native.resources()
        backend = "" if self._backend is None else f"{self._backend!r}, "
        return f"Session({backend}threads={threads}, memory={_native.format_bytes(memory)!r})"


def _job_text(
    source: Source | None, output: PathLike | None, key: Columns | None, options: Mapping[str, Any]
) -> str:
    sources = None if source is None else source_texts(source)
    return options_text({"source": sources, "output": output, "key": key, **options})


class _KeptRecords:
    """Records in a private file, which goes with this."""

    def __init__(self, records: Iterable[Mapping[str, object]], directory: Any) -> None:
        try:
            handle, self.path = tempfile.mkstemp(".ndjson", "distil-records-", directory)
        except OSError as cause:
            raise _of_disk(cause, directory) from cause
        # A fork has a copy of this, and must not remove what is not its own.
        weakref.finalize(self, _remove, self.path, os.getpid())
        file = os.fdopen(handle, "wb")
        try:
            # What the records themselves raise is theirs, and passes.
            for line in json_lines(records):
                try:
                    file.write(line)
                except OSError as cause:
                    raise _of_disk(cause, directory) from cause
        finally:
            try:
                file.close()
            except OSError as cause:
                raise _of_disk(cause, directory) from cause


def _of_disk(cause: OSError, directory: Any) -> EnvironmentFailure:
    """The error for a temporary file that can't be made or written."""
    return EnvironmentFailure(
        f"cannot keep the records: {cause.strerror or cause}",
        code="no_space" if cause.errno == errno.ENOSPC else "environment",
        path=str(directory or tempfile.gettempdir()),
        exit_status=3,
        hints=[Hint("keep temporary files elsewhere", "temp_dir")],
    )


def _remove(path: str, process: int) -> None:
    if os.getpid() == process:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
