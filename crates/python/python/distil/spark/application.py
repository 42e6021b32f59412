"""The application for spark-submit: runs a plan on the executors.

spark-submit --master spark://master:7077 "$(python -m distil.spark)" plan.json [report.json]

The plan is what ``distil plan`` prints. The exit status is that of ``distil run``.

The backend ``spark-submit`` gives it ``--order FILE`` instead: one request of a run whose frame is in the command. The
answer goes beside that file, and how far it is to standard output; where the driver runs on a node, beside that file too.
"""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


#: The exit status where the order can't be read or the answer not be written: `crates/submit/src/answer.rs` knows it.
_NOT_SEEN = 66


def main(arguments: list[str]) -> int:
    """Runs the plan or the order of a file, and returns the exit status."""
    is_order = len(arguments) == 2 and arguments[0] == "--order"
    if not is_order and (len(arguments) not in (1, 2) or arguments[0].startswith("-")):
        print(__doc__, file=sys.stderr)
        return 2
    from pyspark.sql import SparkSession

    from distil.spark._tasks import know_yarn

    know_yarn()
    spark = SparkSession.builder.appName("distil").getOrCreate()
    try:
        if is_order:
            return _fulfil(spark, arguments[1])
        return _run(spark, arguments[0], arguments[1] if len(arguments) == 2 else None)
    finally:
        spark.stop()


def _run(spark: SparkSession, plan: str, report: str | None) -> int:
    import distil
    import distil.spark

    try:
        done = distil.spark.session(spark, progress=False).run(plan=plan, report=report)
    except distil.DistilError as error:
        print("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]), file=sys.stderr)
        return error.exit_status
    print(done)
    return 0


def _fulfil(spark: SparkSession, order: str) -> int:
    import distil
    import distil.spark
    from distil.spark._tasks import temporary_directory
    from distil.spark._told import Told, answered

    native = distil.spark.session(spark, progress=False)._native
    if spark.conf.get("spark.submit.deployMode", "client") == "cluster":
        try:
            with tempfile.TemporaryDirectory(prefix="distil-", dir=temporary_directory()) as own:
                return native.fulfil(order, scratch=own)
        except distil.DistilError as error:
            print(f"error: {error}", file=sys.stderr)
            return _NOT_SEEN
    told = Told(spark)
    with told.looking():
        status = native.fulfil(order, told)
    answered()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
