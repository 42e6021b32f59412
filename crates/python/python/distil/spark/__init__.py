"""distil on Spark.

>>> import distil.spark  # doctest: +SKIP
>>> session = distil.spark.session(spark)  # doctest: +SKIP
>>> report = session.read_json("/data/incoming").drop_duplicates("ts").write_parquet("/data/events/")  # doctest: +SKIP

Spark schedules, moves and retries; distil decodes, reduces and writes, in the processes that Spark starts for Python.
No row passes through the driver. All nodes need this package in the same version (:func:`check` tells), and see inputs
and outputs by the same names. Where they lack it, Spark's own SQL does the work (``kernels="sql"``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._arguments import PathLike, Size
from .._progress import ShowProgress
from .._session import Session
from ._cluster import Executor, executors
from ._kernels import Kernels, SparkKernels
from ._survivors import drop_duplicates

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["Executor", "check", "drop_duplicates", "session"]


def session(
    spark: SparkSession,
    *,
    kernels: Kernels = "auto",
    task_bytes: int | None = None,
    memory: Size | None = None,
    temp_dir: PathLike | None = None,
    progress: ShowProgress = "auto",
) -> Session:
    """A session whose runs are done by Spark, classic or by Spark Connect.

    Args:
        spark: the session of Spark. Its application, resources and event log are what they are.
        kernels: what does the work: ``"native"``, distil in the executors, which need this package in the version of
            the driver; ``"sql"``, Spark's own SQL, after a scan by the driver, for clusters without the package;
            ``"auto"`` asks the executors, and takes SQL where one lacks the package, with a warning that names it.
        task_bytes: the bytes of input that a task decodes, of native kernels. Without it there are two tasks for each core
            that Spark has, of 4 to 64 MiB each.
        memory: the memory that the driver may use.
        temp_dir: where temporary files go, by default beside the output; with SQL Spark must see them.
        progress: as for :class:`distil.Session`.
    """
    return Session(
        SparkKernels(spark, kernels, task_bytes),
        memory=memory,
        temp_dir=temp_dir,
        progress=progress,
    )


def check(spark: SparkSession) -> list[Executor]:
    """What the executors that answer have of distil: those without it, or with another version, are among them.

    Spark says nothing of executors that it has not started yet.
    """
    return executors(spark)
