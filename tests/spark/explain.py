"""Whether the SQL of the snapshots is valid under the pyspark of this Python: every query is planned, and
run over no input.

    explain.py     prints the version and the number of queries; fails on the first that is not taken
"""

import pathlib
import re
import sys
import tempfile

import pyspark
from pyspark.sql import SparkSession

HERE = pathlib.Path(__file__).resolve().parents[2]
SNAPSHOTS = HERE / "crates" / "spark" / "tests" / "spark" / "snapshots"
LOWERING = HERE / "crates" / "spark" / "src" / "lower.rs"
VIEW = re.compile(r"^-- (\w+): format text, (.*), \d+ files as \*\S+$")


def settings():
    """Those of the session of distil, read where they are written."""
    text = LOWERING.read_text()
    body = text[text.index("SETTINGS:") :]
    return re.findall(r'\("(spark\.[\w.]+)", "(\w+)"\)', body[: body.index("];")])


def queries():
    """Views with the options of their readers, and the query over them."""
    for path in sorted(SNAPSHOTS.glob("*.snap")):
        views, lines = [], []
        for line in path.read_text().split("\n---\n", 1)[1].split("\n"):
            if view := VIEW.match(line):
                options = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', view[2])
                views.append(
                    (view[1], {k: v.encode().decode("unicode_escape") for k, v in options})
                )
            elif line.startswith("-- written: "):
                yield path.name, views, "\n".join(lines)
                views, lines = [], []
            else:
                lines.append(line)


def main():
    with tempfile.TemporaryDirectory() as folder:
        builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        for key, value in {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": folder,
            "spark.sql.warehouse.dir": f"{folder}/warehouse",
            "spark.jars.ivy": f"{folder}/ivy",
            "spark.sql.shuffle.partitions": 1,
        }.items():
            builder = builder.config(key, value)
        spark = builder.getOrCreate()
        for key, value in settings():
            spark.conf.set(key, value)
        empty = pathlib.Path(folder, "empty.txt")
        empty.touch()
        count = 0
        for name, views, query in queries():
            for view, options in views:
                spark.read.format("text").options(**options).load(
                    f"file://{empty}"
                ).createOrReplaceTempView(view)
            plan = spark.sql(f"EXPLAIN {query}").collect()[0][0]
            # Spark tells a query that it does not take as text, too.
            if "Exception" in plan or "Physical Plan" not in plan:
                sys.exit(f"Spark {pyspark.__version__} does not take {name}:\n{plan}")
            rows = spark.sql(query).collect()
            if rows:
                sys.exit(f"Spark {pyspark.__version__} finds rows in nothing for {name}: {rows}")
            count += 1
        spark.stop()
    if not count:
        sys.exit("no query was found in the snapshots")
    print(f"Spark {pyspark.__version__} takes {count} queries")


main()
