"""Which kernels do the work of a session of Spark."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from .. import _native
from ..errors import Hint, UsageError
from ._cluster import Executor, SparkCluster, executors
from ._sql import SparkSql

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Kernels = Literal["auto", "native", "sql"]


class SparkKernels:
    """A session of Spark, and what its runs are done by: the native kernels in its executors, or its own SQL."""

    @classmethod
    def of(cls, given: object) -> SparkKernels:
        """What a user gives for a backend.

        Raises:
            UsageError: it is no session of Spark.
        """
        if isinstance(given, cls):
            return given
        return cls(SparkCluster.of(given)._spark)

    def __init__(
        self, spark: SparkSession, kernels: Kernels = "auto", task_bytes: int | None = None
    ) -> None:
        if kernels not in ("auto", "native", "sql"):
            raise UsageError(f'kernels is "auto", "native" or "sql", not {kernels!r}')
        #: Why the work is done by SQL although nobody asked for that.
        self.warning = _lacking(spark) if kernels == "auto" else None
        if self.warning is not None:
            warnings.warn(self.warning, RuntimeWarning, stacklevel=3)
            kernels = "sql"
        self._cluster = SparkCluster(spark, task_bytes)
        self._sql = SparkSql(spark) if kernels == "sql" else None

    def backend(self) -> dict[str, Any]:
        """What the native module runs plans on."""
        if self._sql is None:
            return {"cluster": (self._cluster, self._cluster.task_bytes)}
        return {"spark": (self._sql, self.warning)}

    def to_spark(self, frame: _native.Frame, watch: Any) -> DataFrame:
        """The rows of a frame as a DataFrame of Spark.

        Raises:
            UsageError: the kernels have none.
        """
        if self._sql is None:
            raise UsageError(
                "native kernels hand no rows to Spark: they write them",
                hints=[
                    Hint(
                        'have Spark\'s own SQL do the work: distil.spark.session(spark, kernels="sql")'
                    ),
                    Hint("or write the rows, and read the output with Spark"),
                ],
            )
        return self._sql.to_spark(frame, watch)


def _lacking(spark: SparkSession) -> str | None:
    """What keeps the executors from running native kernels, and what to do about it."""
    try:
        found = [executor for executor in executors(spark) if not executor.works]
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = f"the executors can't be asked for distil ({lines[0] if lines else error!r})"
    else:
        if not found:
            return None
        reason = "; ".join(map(_described, found))
    return (
        f"{reason}: Spark's own SQL does the work, many times slower, after a scan by the driver. For native kernels "
        f'install distil in this version on all nodes: pip install "distil[spark]=={_native.VERSION}"; '
        'kernels="sql" says that SQL is meant'
    )


def _described(executor: Executor) -> str:
    if executor.version is None:
        return f"distil or pyarrow is not installed on {executor.host}"
    return f"{executor.host} has distil {executor.version}, and not {_native.VERSION}"
