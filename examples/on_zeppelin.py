# ruff: noqa: B018, E402, F821
from typing import Any

# What Zeppelin gives to the paragraphs.
z: Any
spark: Any

# %% [md]
# # distil on Zeppelin
#
# JSON files go in, clean Parquet comes out, with one row for every key: by distil alone, then by
# the executors of Spark, with the same rows.
#
# The Python of an interpreter must have distil. The settings of interpreters name it: for `%python`
# as `zeppelin.python`, for `%spark.pyspark` as `PYSPARK_PYTHON`. The tables of `%python` need pandas,
# and Spark needs pyarrow.
#
# Everything happens in a temporary directory, which the last paragraph removes.

# %% [python] Data with a known answer
import tempfile

import distil

folder = tempfile.mkdtemp(prefix="distil-zeppelin-")
z.put("folder", folder)  # for the paragraphs of other interpreters
answer = distil.generate(
    f"{folder}/incoming", files=20, records=45_000, duplicates=5_000, spread=50
)
print(f"{answer.records:,} records, {answer.keys['ts'].rows:,} different values of ts: {folder}")

# %% [python] Ten lines
report = (
    distil.read_json(f"{folder}/incoming")
    .drop_duplicates("ts", order_by="id as text, data")
    .write_parquet(f"{folder}/events.parquet", digest=True)
)
report

# %% [python] The report as a picture
print("%html", report._repr_html_())

# %% [python] The rows as a table
z.show(distil.read_parquet(f"{folder}/events.parquet").head(10).to_pandas())

# %% [python] Is it right?
verified = distil.verify(f"{folder}/events.parquet", f"{folder}/incoming.answer.json")
for aspect, how in verified.checks.items():
    print(f"{aspect:<8} {how}")

# %% [md]
# ## On Spark: with the session of Zeppelin
#
# The same lines with one before. All executors must have distil, and see the folder by the same
# name. Leave these two paragraphs out where there is no interpreter `spark`, or where it has no
# distil.

# %% [spark.pyspark] One line, then the ten: %spark.pyspark
import distil.spark

folder = z.get("folder")
session = distil.spark.session(spark)
report = (
    session.read_json(f"{folder}/incoming")
    .drop_duplicates("ts", order_by="id as text, data")
    .write_parquet(f"{folder}/spark-of-zeppelin/", digest=True)
)
report

# %% [spark.pyspark] The rows as a table: %spark.pyspark
z.show(spark.read.parquet(f"{folder}/spark-of-zeppelin/").orderBy("data", "id").limit(10))

# %% [md]
# ## On Spark: with the pyspark of `%python`
#
# Where the Python of `%python` has pyspark, it can have a session of its own: local as here, of a
# cluster (`.master(...)`), or of a server of Spark Connect (`.remote("sc://host")`).

# %% [python] One line, then the ten: %python with pyspark
import os
import sys

import distil.spark
from pyspark.sql import SparkSession

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
own = SparkSession.builder.master("local[2]").getOrCreate()
session = distil.spark.session(own)
report = (
    session.read_json(f"{folder}/incoming")
    .drop_duplicates("ts", order_by="id as text, data")
    .write_parquet(f"{folder}/spark-of-python/", digest=True)
)
own.stop()
report

# %% [python] The same digest each way
from pathlib import Path

for output in ["events.parquet", "spark-of-zeppelin", "spark-of-python"]:
    if Path(folder, output).exists():
        print(f"{output:<18} {distil.digest(f'{folder}/{output}')}")

# %% [python] Remove the temporary directory
import shutil

shutil.rmtree(folder)
