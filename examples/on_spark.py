# ruff: noqa: B018

# %% [markdown]
# # On Spark
#
# The ten lines of [First steps](first_steps.ipynb), with one before them: a session of Spark. Its
# executors decode, reduce and write with the code that distil itself runs, and Spark schedules,
# moves and retries. The rows, the report and the digest are those of one machine.
#
# It takes half a minute. It needs `distil`, `pyspark[sql]` and Java 17, and no network. Everything
# happens in a temporary directory, which the last cell removes.

# %%
import os
import sys
import tempfile
import traceback
from pathlib import Path

import distil
import distil.spark
from pyspark.sql import SparkSession

directory = tempfile.TemporaryDirectory()
os.chdir(directory.name)
answer = distil.generate("incoming", files=5, records=20_000, duplicates=2_000, spread=50)
print(f"{answer.records:,} records, {answer.keys['ts'].rows:,} different values of ts")

# %% [markdown]
# ## A session of Spark
#
# Any one will do, also of a cluster or by Spark Connect. This one is on two threads of this
# machine. Once it runs, it says nothing but errors, and leaves progress to distil. Spark starts the
# Python of its tasks by `PYSPARK_PYTHON`, and that one must have distil, too.

# %%
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.log.level", "ERROR")
    .config("spark.ui.showConsoleProgress", "false")
    .getOrCreate()
)
for executor in distil.spark.check(spark):
    print(f"Spark {spark.version}; distil {executor.version} in the executors")

# %% [markdown]
# ## One line, then the ten

# %%
session = distil.spark.session(spark)

# %%
report = (
    session.read_json("incoming/")
    .drop_duplicates("ts", order_by="id as text, data")
    .write_parquet("events/", digest=True)
)
report

# %% [markdown]
# ## The same answer as without Spark
#
# `distil` in place of `session`, and a file in place of a directory: nothing else differs. The
# digest is one of all values of all rows, in whatever files they are.

# %%
native = (
    distil.read_json("incoming/")
    .drop_duplicates("ts", order_by="id as text, data")
    .write_parquet("events.parquet", digest=True)
)
print(f"Spark:  {report.output.digest}")
print(f"native: {native.output.digest}")
assert report.output.digest == native.output.digest == answer.keys["ts"].digest
assert report.records == native.records

# %% [markdown]
# `verify` reads the output again, and compares it with the answer of the generated data.

# %%
verified = distil.verify("events/", "incoming.answer.json")
for aspect, how in verified.checks.items():
    print(f"{aspect:<8} {how}")

# %% [markdown]
# ## The rows
#
# The output is a directory of Parquet, so Spark reads it as any other, and so does everything else.

# %%
events = spark.read.parquet("events/")
events.groupBy("data").count().orderBy("count", "data", ascending=False).show(3)
distil.read_parquet("events/").head(5)

# %% [markdown]
# ## A bad record
#
# A task that finds one says what one machine would say: where it is, what is wrong, what became of
# the output, and how to go on. Nothing is written.

# %%
Path("incoming/late.json").write_text(
    '{"records": [\n'
    '  {"id": "7", "data": "ABC", "ts": "2019-06-01T08:00:00.000Z"},\n'
    '  {"id": "8", "data": , "ts": "2019-06-01T09:00:00.000Z"}\n'
    "]}\n"
)
try:
    session.read_json("incoming/").drop_duplicates("ts").write_parquet("more/")
except distil.BadRecordsError as error:
    print("".join(traceback.format_exception_only(error)))
assert not Path("more").exists()

# %% [markdown]
# The last cell ends Spark, and removes the temporary directory.

# %%
spark.stop()
os.chdir(Path(directory.name).parent)
directory.cleanup()
