"""A session of Spark that runs the SQL of plans: the native module writes it, and merges what comes out."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _native
from ..errors import Hint, UsageError
from ._cluster import SparkCluster

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_T = TypeVar("_T")
Options = Sequence[tuple[str, str]]
#: Settings, views (name, URLs, options), and the query.
Query = tuple[Options, Sequence[tuple[str, list[str], Options]], str]

#: Settings belong to whoever has the session: one query of distil at a time changes them, and puts them back.
_ALONE = threading.Lock()
_WAIT = 0.2


class SparkSql:
    """What the native module asks for: queries that are run to their ends."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._jobs = SparkCluster(spark)
        self._stopped = threading.Event()

    def check(self) -> tuple[str, str | None]:
        """The version of Spark, and what its logs call this application."""
        return self._jobs.check()

    def is_true(self, query: Query) -> bool:
        """Whether that is the one value of a query."""
        return self._run(query, lambda frame: frame.collect()[0][0] is True)

    def has_rows(self, query: Query) -> bool:
        """Whether a query has rows."""
        return self._run(query, lambda frame: bool(frame.take(1)))

    def write(self, query: Query, url: str, options: Options) -> None:
        """Writes the rows of a query as Parquet where nothing is."""
        self._run(
            query, lambda frame: frame.write.options(**dict(options)).mode("error").parquet(url)
        )

    def cancel(self) -> None:
        """Ends what runs; called from another thread than the one that waits, until that returns."""
        self._stopped.set()
        self._jobs.cancel()

    def to_spark(self, frame: _native.Frame, watch: Any) -> DataFrame:
        """The rows of a frame as a query of Spark, which it runs when it is asked for them."""
        query, names, folded = frame.relation(f"distil_{uuid.uuid4().hex}", watch)
        if not self._jobs._is_connect:
            # Analysed here and now, as the settings say; the views are no longer needed.
            return self._run(query, lambda rows: rows).toDF(*names)
        # Analysed whenever it is used, by the settings of that time; views of Connect last as long as the session.
        _, views, text = query
        if folded is not None and self._spark.conf.get("spark.sql.caseSensitive") != "true":
            raise UsageError(
                f"two columns have the name {folded} but for case, and this session of Spark folds it",
                hints=[Hint('spark.conf.set("spark.sql.caseSensitive", "true")')],
            )
        if "${" in text:
            raise UsageError(
                "a name holds ${, which Spark Connect takes for a variable: rename it in the records"
            )
        for view in views:
            self._create_view(*view)
        return self._spark.sql(text).toDF(*names)

    def _create_view(self, name: str, urls: list[str], options: Options) -> None:
        lines = self._spark.read.format("text").options(**dict(options)).load(urls)
        lines.createOrReplaceTempView(name)

    def _run(self, query: Query, use: Callable[[DataFrame], _T]) -> _T:
        settings, views, text = query
        self._stopped.clear()
        with self._alone(), self._settings(settings), self._jobs._named():
            try:
                for view in views:
                    self._create_view(*view)
                return use(self._spark.sql(text))
            finally:
                for name, _, _ in views:
                    self._spark.catalog.dropTempView(name)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        while not _ALONE.acquire(timeout=_WAIT):
            if self._stopped.is_set():
                raise RuntimeError("stopped before Spark had begun")
        try:
            yield
        finally:
            _ALONE.release()

    @contextlib.contextmanager
    def _settings(self, settings: Options) -> Iterator[None]:
        conf = self._spark.conf
        before = [(name, conf.get(name, None)) for name, _ in settings]
        try:
            for name, value in settings:
                conf.set(name, value)
            yield
        finally:
            for name, value in before:
                if value is None:
                    conf.unset(name)
                else:
                    conf.set(name, value)
