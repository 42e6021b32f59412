"""The application for spark-submit: runs a plan on the executors.

spark-submit --master spark://master:7077 "$(python -m distil.spark)" plan.json [report.json]

The plan is what ``distil plan`` prints. The exit status is that of ``distil run``.
"""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    """Runs the plan of a file, and returns the exit status."""
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    from pyspark.sql import SparkSession

    import distil
    import distil.spark

    spark = SparkSession.builder.appName("distil").getOrCreate()
    plan, report = arguments[0], arguments[1] if len(arguments) == 2 else None
    try:
        done = distil.spark.session(spark, progress=False).run(plan=plan, report=report)
    except distil.DistilError as error:
        print("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]), file=sys.stderr)
        return error.exit_status
    finally:
        spark.stop()
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
