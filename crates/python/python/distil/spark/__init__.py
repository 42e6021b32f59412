"""distil in the executors of Spark.

>>> import distil.spark  # doctest: +SKIP
>>> session = distil.spark.session(spark)  # doctest: +SKIP
>>> report = session.read_json("/data/incoming").drop_duplicates("ts").write_parquet("/data/events/")  # doctest: +SKIP

Spark schedules, moves and retries; distil decodes, reduces and writes, in the processes that Spark starts for Python.
No row passes through the driver. All nodes need this package in the same version (:func:`check` tells), and see inputs
and outputs by the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._arguments import Size
from .._progress import ShowProgress
from .._session import Session
from ._cluster import Executor, SparkCluster, executors
from ._survivors import drop_duplicates

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["Executor", "check", "drop_duplicates", "session"]


def session(
    spark: SparkSession,
    *,
    task_bytes: int | None = None,
    memory: Size | None = None,
    progress: ShowProgress = "auto",
) -> Session:
    """A session whose runs are done by the executors of Spark, classic or by Spark Connect.

    Args:
        spark: the session of Spark. Its application, resources and event log are what they are.
        task_bytes: the bytes of input that a task decodes, 64 MiB by default.
        memory: the memory that the driver may use.
        progress: as for :class:`distil.Session`.
    """
    return Session(SparkCluster(spark, task_bytes), memory=memory, progress=progress)


def check(spark: SparkSession) -> list[Executor]:
    """What the executors that answer have of distil: those without it, or with another version, are among them.

    Spark says nothing of executors that it has not started yet.
    """
    return executors(spark)
