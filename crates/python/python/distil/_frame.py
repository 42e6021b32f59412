"""The DataFrame."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from . import _log, _native
from ._arguments import Columns, Order, PathLike, Size, column_names, options_text, path_text
from ._exports import Exports
from ._progress import Watching
from ._report import Report
from ._schema import Schema
from ._table import Table
from .errors import Hint, UsageError

if TYPE_CHECKING:
    import pyspark.sql

    from ._session import Session

#: The most rows that a table may have.
_ALL = 2**63 - 1


@dataclass
class Origin:
    """Where the rows of some frames come from; frames of further steps share it."""

    #: Whether each question reads and parses everything.
    is_read_each_time: bool = False
    #: Whether they are rows that :meth:`DataFrame.cache` keeps.
    is_kept: bool = False
    #: What must live as long as anybody may ask for the rows.
    keep: object = None
    #: The private file that the rows come from, and what it is to be called.
    alias: tuple[str, str] | None = None
    questions: int = 0

    def named(self, told: str) -> str:
        """JSON text with the private file under its other name."""
        if self.alias is None:
            return told
        path, name = (json.dumps(text)[1:-1] for text in self.alias)
        return told.replace(path, name)


class DataFrame(Exports):
    """Rows, by what is to be done to get them. Nothing is read before something is asked, and each question runs
    the whole plan on the backend; :meth:`cache` keeps the rows. A frame never changes: each step gives a new one.

    Steps mean what their position says: a selection after :meth:`drop_duplicates` does not change which rows stay,
    one before does. Rows come sorted by the key of the last :meth:`drop_duplicates`, and where there is none, or it
    is not selected, by the whole row.
    """

    def __init__(self, session: Session, frame: _native.Frame, origin: Origin) -> None:
        self._session = session
        self._frame = frame
        self._origin = origin
        self._cached: DataFrame | None = None

    def _then(self, frame: _native.Frame) -> DataFrame:
        origin = Origin(keep=self) if self._origin.is_kept else self._origin
        return DataFrame(self._session, frame, origin)

    def _asked(self) -> None:
        origin = self._origin
        origin.questions += 1
        if origin.questions == 2 and origin.is_read_each_time:
            _log.LOGGER.info("reads everything again; .cache() keeps the rows")

    def select(self, *columns: Columns) -> DataFrame:
        """These columns, in this order. A dot leads into a struct: ``"user.name"``."""
        return self._then(self._frame.select(column_names(columns)))

    def rename(self, names: Mapping[str, str], /) -> DataFrame:
        """Other names for columns, by their old ones. A name is taken as it is: a dot leads nowhere."""
        return self._then(self._frame.rename(list(names.items())))

    def drop_duplicates(
        self,
        subset: Columns | None = None,
        *,
        order_by: Order | None = None,
        keep: Literal["first", "last"] = "first",
        null_keys: Literal["error", "value"] = "error",
        on_conflict: Literal["keep", "warn", "error"] = "keep",
        dropped: PathLike | None = None,
    ) -> DataFrame:
        """One row for every key; ``keep`` is an end of ``order_by``, and not of the order in which rows arrive as in
        pandas: what arrives first depends on file names and threads, and the result must not.

        Args:
            subset: the columns of the key; without it the whole row.
            order_by: the order among rows of one key, as ``"updated desc, id"``. The other columns follow it in the
                order of their names, so that one row is always the first.
            keep: the row that stays, the first or the last in that order.
            null_keys: whether a null in the key makes a record bad, or is a value like others.
            on_conflict: what it means that rows of one key differ: nothing, a warning or an error.
            dropped: a Parquet file for the rows that differ from the one that stays.
        """
        if keep not in ("first", "last"):
            raise UsageError(
                f'keep is "first" or "last", not {keep!r}: one row of every key stays, whatever there is twice'
            )
        key: Columns = "*" if subset is None else column_names((subset,))
        if not key:
            raise UsageError("the key has no column; without any argument the whole row is the key")
        options = {
            "key": key,
            "order_by": order_by,
            "keep": keep,
            "null_keys": null_keys,
            "on_conflict": on_conflict,
            "dropped": dropped,
        }
        return self._then(self._frame.drop_duplicates(options_text(options)))

    def cache(self) -> DataFrame:
        """The same rows, which are read now and kept in a temporary file for as long as the frame lives."""
        if self._origin.is_kept:
            return self
        if self._cached is None:
            with Watching(self._session._progress) as watch:
                frame = self._frame.cache(watch)
            self._cached = DataFrame(self._session, frame, Origin(is_kept=True))
        return self._cached

    def write_parquet(
        self,
        path: PathLike,
        *,
        mode: Literal["error", "overwrite"] = "error",
        layout: Literal["file", "dir"] | None = None,
        compression: str = "zstd",
        bloom: Columns = (),
        row_group_rows: int | None = None,
        max_file_rows: int | None = None,
        max_file_bytes: Size | None = None,
        allow_empty: bool = False,
        digest: bool = False,
        report: PathLike | None = None,
    ) -> Report:
        """Writes the rows: to a file if the name ends in ``.parquet``, else to a directory of files. The output
        appears whole or not at all.

        Args:
            path: the file or the directory.
            mode: what to do if it exists.
            layout: a file or a directory, whatever the name says.
            compression: ``"zstd"``, ``"zstd:1"`` to ``"zstd:22"``, ``"snappy"``, ``"lz4"`` or ``"none"``.
            bloom: the columns that get a bloom filter.
            row_group_rows: the most rows of a row group.
            max_file_rows: the most rows of a file in a directory.
            max_file_bytes: the most bytes of a file in a directory.
            allow_empty: lets input without a record be no error; the output has no rows then.
            digest: computes the digest of the rows, for the footer and the report.
            report: a file for the report, JSON or HTML by its name.

        Raises:
            DistilError: see :mod:`distil.errors`.
        """
        options = {
            "mode": mode,
            "layout": layout,
            "compression": compression,
            "bloom": column_names((bloom,)) or None,
            "row_group_rows": row_group_rows,
            "max_file_rows": max_file_rows,
            "max_file_bytes": max_file_bytes,
            "allow_empty": allow_empty,
            "digest": digest,
            "report": report,
        }
        self._asked()
        with Watching(self._session._progress) as watch:
            told = self._frame.write(path_text(path), options_text(options), watch)
        written = Report.from_dict(json.loads(self._origin.named(told)))
        _log.warn(written.warnings)
        return written

    def collect(self) -> Table:
        """All rows, in memory."""
        return self.head(_ALL)

    def head(self, n: int = 10) -> Table:
        """The first rows, in memory."""
        if n < 0:
            raise UsageError(f"{n} rows can't be shown")
        self._asked()
        with Watching(self._session._progress) as watch:
            return Table(self._frame.table(n, watch))

    def count(self) -> int:
        """How many rows there are."""
        self._asked()
        with Watching(self._session._progress) as watch:
            return self._frame.count(watch)

    def schema(self) -> Schema:
        """The columns and their types. JSON is read for it whole: types come from all the data."""
        self._asked()
        with Watching(self._session._progress) as watch:
            return Schema._of(json.loads(self._frame.schema(watch)))

    def explain(self) -> str:
        """What would be done, for people: each plan with its steps, and the backend."""
        return self._frame.explain().rstrip("\n")

    def to_spark(self) -> pyspark.sql.DataFrame:
        """The rows as a DataFrame of PySpark, in no order, for frames of a session of Spark. Spark reads the input when it
        is asked for rows; the types of JSON come from a scan of it, which is done now. ``docs/spark.md`` says what type
        of Spark each type becomes.

        Raises:
            UsageError: Spark has no such type, or nothing in Spark would do what the steps ask for.
        """
        if self._session._spark is None:
            raise UsageError(
                "only a frame of a session of Spark is one of PySpark",
                hints=[Hint("make the session of one: distil.spark.session(spark)")],
            )
        self._asked()
        with Watching(self._session._progress) as watch:
            return self._session._spark.to_spark(self._frame, watch)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        # Some tools take the stream several times for one query: the rows are read once.
        cached = self.cache()
        with Watching(self._session._progress) as watch:
            return cached._frame.stream(watch).__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.cache().head(0).__arrow_c_schema__()

    # The names of others.

    def unique(
        self,
        subset: Columns | None = None,
        *,
        keep: Literal["any", "first", "last"] = "any",
        order_by: Order | None = None,
        maintain_order: bool = False,
    ) -> DataFrame:
        """As in Polars: :meth:`drop_duplicates`, where any copy is the first. Rows come sorted by the key."""
        if maintain_order:
            raise UsageError(
                "maintain_order=True: rows come sorted by the key, whatever their order was"
            )
        end: Literal["first", "last"] = "first" if keep == "any" else keep
        return self.drop_duplicates(subset, order_by=order_by, keep=end)

    def dropDuplicates(self, subset: Columns | None = None) -> DataFrame:
        """As in PySpark: :meth:`drop_duplicates`."""
        return self.drop_duplicates(subset)

    def distinct(self) -> DataFrame:
        """As in PySpark: :meth:`drop_duplicates` of whole rows."""
        return self.drop_duplicates()

    def to_parquet(self, path: PathLike, **options: Any) -> Report:
        """As in pandas: :meth:`write_parquet`."""
        return self.write_parquet(path, **options)

    def sink_parquet(self, path: PathLike, **options: Any) -> Report:
        """As in Polars: :meth:`write_parquet`."""
        return self.write_parquet(path, **options)

    # Each of these would run a plan unseen.

    def __len__(self) -> NoReturn:
        raise TypeError("rows are not counted unseen: call .count()")

    def __bool__(self) -> NoReturn:
        raise TypeError("whether there are rows is not known without a run: call .count()")

    def __iter__(self) -> NoReturn:
        raise TypeError("rows are not read unseen: call .collect().to_pylist()")

    def __getitem__(self, _: object) -> NoReturn:
        raise TypeError("columns are chosen with .select(...), rows are taken with .head(n)")

    def __repr__(self) -> str:
        try:
            steps = self.explain()
        except Exception as error:  # A repr is no place to fail.
            steps = str(error)
        return f"<distil.DataFrame, nothing is read yet>\n{steps}"
