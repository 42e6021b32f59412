"""Spark as what schedules the tasks of a job."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import _native
from ..errors import UsageError
from . import _tasks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Payload = tuple[int, int, bytes]

#: What Spark is told while jobs of distil run, whose rows are few and large: 5 million records are 140 of them.
_SETTINGS = {
    # A batch of Arrow holds at most 2 GiB, and a payload some MiB.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16",
    # Code that is generated for rows takes a tenth of what an executor computes for 5 million records, to compile.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
#: More than a cluster has cores, so that each task has some.
_ROWS_OF_A_QUESTION = 100_000
#: The kind of a payload that is an error.
_ERROR = 3


@dataclass(frozen=True)
class Executor:
    """A process that runs tasks."""

    host: str
    #: Its version of distil; None if it has none.
    version: str | None
    #: Whether it can run the tasks of this driver.
    works: bool


class SparkCluster:
    """What the native module asks for: tasks that decode, rows that are kept, and tasks that write them."""

    @classmethod
    def of(cls, given: object) -> SparkCluster:
        """What a user gives for a backend.

        Raises:
            UsageError: it is no session of Spark.
        """
        if isinstance(given, cls):
            return given
        if not type(given).__module__.startswith("pyspark."):
            raise UsageError(
                f"a backend is a name, a URL or a Spark session, not a {type(given).__name__}"
            )
        return cls(given)

    def __init__(self, spark: Any, task_bytes: int | None = None) -> None:
        self._spark: SparkSession = spark
        self._is_connect = is_connect(spark)
        self._tag = f"distil-{uuid.uuid4().hex}"
        self._rows: DataFrame | None = None
        #: Of the tasks that Spark Connect tells of, those that are done.
        self._share = 0.0
        #: Bytes of input for a task; without them it is a usual number.
        self.task_bytes = task_bytes

    def check(self) -> tuple[str, str | None]:
        """The version of Spark, and what its logs call this application."""
        return f"Spark {self._spark.version}", self._spark.conf.get("spark.app.id", None)

    def at_once(self) -> int:
        """The tasks that Spark runs at once; 0 where it does not tell."""
        return 0 if self._is_connect else self._spark.sparkContext.defaultParallelism

    def decode(self, job: bytes, decoding: int, parts: int) -> list[Payload]:
        """Decodes, and keeps the rows: types need all records before anyone writes."""
        tasks = self._spark.range(0, decoding, 1, decoding)
        decoded = tasks.mapInArrow(
            _tasks.decoding(job, slots(parts), _native.VERSION), _tasks.PAYLOADS
        )
        self._rows = decoded.persist()
        told = self._rows.where(f"kind <> {_tasks.ROWS}").select("kind", "part", "payload")
        return self._collect(told)

    def write(self, job: bytes, _decoding: int, parts: int) -> list[Payload]:
        """Moves the rows to the tasks of their parts, which write them."""
        assert self._rows is not None
        rows = self._rows.where(f"kind = {_tasks.ROWS}").repartition(parts, "slot")
        return self._collect(rows.mapInArrow(_tasks.writing(job, _native.VERSION), _tasks.PAYLOADS))

    def decode_and_write(self, job: bytes, decoding: int, parts: int) -> list[Payload]:
        """Decodes and writes in one job of Spark: nothing has to be kept, and all that is told goes the way of rows."""
        tasks = self._spark.range(0, decoding, 1, decoding)
        decoded = tasks.mapInArrow(
            _tasks.decoding(job, slots(parts), _native.VERSION), _tasks.PAYLOADS
        )
        moved = decoded.repartition(parts, "slot")
        return self._collect(
            moved.mapInArrow(_tasks.writing(job, _native.VERSION), _tasks.PAYLOADS)
        )

    def progress(self) -> float:
        """The share of the tasks of the present call that are done; 0 where Spark does not tell. Called from another
        thread than the one that waits."""
        if self._is_connect:
            return self._share
        tracker = self._spark.sparkContext.statusTracker()
        done = wanted = 0
        for job in tracker.getJobIdsForGroup(self._tag):
            known = tracker.getJobInfo(job)
            if known is None or known.status != "RUNNING":
                continue
            for stage in filter(None, map(tracker.getStageInfo, known.stageIds)):
                done += stage.numCompletedTasks
                wanted += stage.numTasks
        return done / wanted if wanted else 0.0

    def forget(self) -> None:
        """Lets go of the rows."""
        if self._rows is not None:
            self._rows.unpersist()
            self._rows = None

    def cancel(self) -> None:
        """Ends what runs; called from another thread than the one that waits."""
        if self._is_connect:
            self._spark.interruptTag(self._tag)
        else:
            self._spark.sparkContext.cancelJobGroup(self._tag)

    def _collect(self, frame: DataFrame) -> list[Payload]:
        with self._named(), self._set_up():
            try:
                rows = frame.select("kind", "part", "payload").collect()
            except Exception as error:
                told = explained(error, self._without_package)
                return [(_ERROR, 0, json.dumps(told).encode())]
        return [(row[0], row[1], bytes(row[2])) for row in rows]

    def _without_package(self) -> str:
        """The nodes without distil, where the exception of Spark 4 does not say on which one a task failed."""
        with contextlib.suppress(Exception):
            found = [one.host for one in executors(self._spark) if one.version is None]
            return ", ".join(found) or "a node"
        return "a node"

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Jobs that this thread begins can be cancelled by their name."""
        if self._is_connect:
            self._spark.addTag(self._tag)
            try:
                with self._heard():
                    yield
            finally:
                self._spark.removeTag(self._tag)
        else:
            self._spark.sparkContext.setJobGroup(self._tag, "distil", interruptOnCancel=True)
            yield

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        """Hears of the tasks of this thread by Spark Connect, whose clients tell of them from Spark 4.0 on."""
        register = getattr(self._spark, "registerProgressHandler", None)
        if register is None:
            yield
            return
        mine = threading.get_ident()

        def hear(stages: Iterable[Any] | None, **_: object) -> None:
            # Another thread may run something else on the same session.
            if threading.get_ident() == mine:
                known = list(stages or ())
                wanted = sum(stage.num_tasks for stage in known)
                done = sum(stage.num_completed_tasks for stage in known)
                self._share = done / wanted if wanted else 0.0

        self._share = 0.0
        register(hear)
        try:
            yield
        finally:
            self._spark.removeProgressHandler(hear)

    @contextlib.contextmanager
    def _set_up(self) -> Iterator[None]:
        before = {}
        for name, value in _SETTINGS.items():
            # Where Spark does not let them be set, jobs are slower at most.
            with contextlib.suppress(Exception):
                old = self._spark.conf.get(name)
                self._spark.conf.set(name, value)
                before[name] = old
        try:
            yield
        finally:
            for name, old in before.items():
                if old is not None:
                    self._spark.conf.set(name, old)


def executors(spark: SparkSession) -> list[Executor]:
    """The executors that answer."""
    try:
        if is_connect(spark):
            # As many tasks as the cluster runs at once, which a client is not told.
            asked = spark.range(_ROWS_OF_A_QUESTION).mapInArrow(
                _tasks.versions(as_arrow=True), "host string, version string"
            )
            told = [(row[0], row[1]) for row in asked.distinct().collect()]
        else:
            context = spark.sparkContext
            wanted = context.defaultParallelism
            asked = context.parallelize(range(wanted), wanted)
            told = asked.mapPartitions(_tasks.versions(as_arrow=False)).collect()
    except Exception as error:
        host, missing = _without_package(str(error))
        if not missing:
            raise
        return [Executor(host or "a node", None, False)]
    found = sorted({(host, version or None) for host, version in told}, key=str)
    return [Executor(host, version, version == _native.VERSION) for host, version in found]


def is_connect(spark: object) -> bool:
    """Whether a session of Spark is one of Spark Connect."""
    return type(spark).__module__.startswith("pyspark.sql.connect")


def explained(
    error: Exception, without_package: Callable[[], str] = lambda: "a node"
) -> dict[str, Any]:
    """What the native module is told of an exception of Spark: the error of the task, if it was one of distil.
    `without_package` names nodes that an exception about them does not name.
    """
    text = str(error)
    found = re.search(f"{_tasks.BEGIN}(.*?){_tasks.END}", text, re.DOTALL)
    if found:
        with contextlib.suppress(ValueError):
            told = json.loads(found.group(1))
            if isinstance(told, dict):
                return told
    host, missing = _without_package(text)
    if missing:
        return _environment(
            f"distil is not installed on {host or without_package()}, which runs tasks of Spark",
            "install it on all nodes, in the version of the driver: "
            f"pip install distil=={_native.VERSION}",
        )
    lines = [line for line in text.splitlines() if line.strip()]
    return {
        **_environment(f"Spark failed: {lines[0] if lines else type(error).__name__}"),
        "details": lines[1:20],
    }


def _environment(what: str, *advice: str) -> dict[str, Any]:
    return {
        "fault": "environment",
        "code": "environment",
        "what": what,
        "details": [],
        "hints": [{"text": text} for text in advice],
    }


def _without_package(text: str) -> tuple[str | None, bool]:
    missing = "No module named 'distil" in text
    host = re.search(r"\(TID \d+\) \((\S+) executor (\S+)\)", text)
    return (f"{host.group(1)} (executor {host.group(2)})" if host else None), missing


def slots(count: int) -> list[int]:
    """For each partition of ``repartition(count, column)`` a value of the column, an int, that Spark puts there."""
    found: dict[int, int] = {}
    for value in itertools.count():
        if len(found) == count:
            break
        found.setdefault(_murmur3(value) % count, value)
    return [found[partition] for partition in range(count)]


def _murmur3(value: int, seed: int = 42) -> int:
    """The hash by which Spark places an int: Murmur3 with 32 bits, as a signed number."""
    low = 0xFFFFFFFF
    mixed = value * 0xCC9E2D51 & low
    mixed = ((mixed << 15 | mixed >> 17) & low) * 0x1B873593 & low
    mixed ^= seed
    mixed = ((mixed << 13 | mixed >> 19) & low) * 5 + 0xE6546B64 & low
    mixed ^= 4
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & low
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & low
    mixed ^= mixed >> 16
    return mixed - (mixed >> 31 << 32)
