# ruff: noqa: B018

# %% [markdown]
# # First steps
#
# JSON files go in, one clean Parquet file comes out, with one row for every key.
# This notebook shows the ten lines that do it, the report of the run, how other tools
# take the rows, what an error looks like, and how to show progress your own way.
#
# It takes a few seconds. It needs `distil`, `polars`, `duckdb` and `pyarrow`, and no network.
# Everything happens in a temporary directory, which the last cell removes.

# %%
import json
import os
import tempfile
import traceback
from pathlib import Path

import distil
import duckdb
import polars as pl
import pyarrow as pa

directory = tempfile.TemporaryDirectory()
os.chdir(directory.name)

# %% [markdown]
# ## Data with a known answer
#
# `distil.generate` writes files of records, and computes the right answer from the parameters
# alone. Here: 5 files of 20,000 records each, and 2,000 duplicates for each file. Half of the
# duplicates lie in another file than their original.

# %%
answer = distil.generate("incoming", files=5, records=20_000, duplicates=2_000, spread=50)
print(f"{answer.records:,} records, {answer.keys['ts'].rows:,} different values of ts")
print(Path("incoming", sorted(os.listdir("incoming"))[0]).read_text()[:150], "...")

# %% [markdown]
# ## Ten lines
#
# A frame is lazy: nothing is read until the last step. `order_by` says which row of a key
# stays: the first in that order. It never depends on which file was read first.
#
# `id as text` says that these ids, which are digits in strings, are to be compared as text. All of
# them have five digits here, so `id` alone would do. Where lengths differ, text and numbers sort
# differently (`"10"` comes before `"9"`). Then an order such as `id desc` is an error, which shows
# both ways on.

# %%
report = (
    distil.read_json("incoming/")
    .drop_duplicates("ts", order_by="id as text, data")
    .write_parquet("events.parquet", digest=True)
)
report

# %% [markdown]
# The report is an object too. Every record that was read is accounted for: it was written, or it
# was a duplicate, or it was set aside.

# %%
records = report.records
duplicates = records.duplicates.identical + records.duplicates.conflicting
assert records.read == records.written + duplicates
assert report.rows == answer.keys["ts"].rows
first = report.conflicts[0]
print("kept:   ", first.kept)
print("dropped:", first.dropped)

# %% [markdown]
# ## The rows
#
# `head` needs nothing but distil.

# %%
events = distil.read_parquet("events.parquet")
events.head(5)

# %% [markdown]
# Other tools take a frame as it is, through the Arrow interface. Polars:

# %%
pl.DataFrame(events).group_by("data").len("rows").sort("rows", "data", descending=True).head(3)

# %% [markdown]
# DuckDB finds the frame by the name of its variable:

# %%
duckdb.sql(
    "select data, count(*) as rows from events group by data order by rows desc, data desc limit 3"
)

# %% [markdown]
# And pyarrow:

# %%
table = pa.table(events)
print(f"{table.num_rows:,} rows")
table.schema

# %% [markdown]
# ## Is it right?
#
# `verify` reads the output again. It checks the columns, the number of rows, their order, that
# every key is there once, and the digest of all values. The reference can be a report, another
# output, or the answer of generated data. A difference raises `VerificationError`.

# %%
verified = distil.verify("events.parquet", "incoming.answer.json")
for aspect, how in verified.checks.items():
    print(f"{aspect:<8} {how}")

# %% [markdown]
# ## A bad record
#
# A new file arrives, and its second record is broken. By default one bad record stops the run,
# and nothing is written. The error says where the record is, what is wrong with it, what
# happened to the output, and what to do. All of this is in the notes of the exception, so every
# traceback shows it.

# %%
Path("incoming/late.json").write_text(
    '{"records": [\n'
    '  {"id": "7", "data": "ABC", "ts": "2019-06-01T08:00:00.000Z"},\n'
    '  {"id": "8", "data": , "ts": "2019-06-01T09:00:00.000Z"}\n'
    "]}\n"
)


def job(events: distil.DataFrame) -> distil.Report:
    """The rest of the ten lines."""
    return events.drop_duplicates("ts", order_by="id as text, data").write_parquet(
        "events.parquet", mode="overwrite", digest=True
    )


try:
    job(distil.read_json("incoming/"))
except distil.BadRecordsError as error:
    print("".join(traceback.format_exception_only(error)))

# %% [markdown]
# With `quarantine` the run sets bad records aside in a file and goes on. The other record of the
# same file is kept.

# %%
report = job(distil.read_json("incoming/", quarantine="events.bad.ndjson"))
report

# %% [markdown]
# The first line of the quarantine file is the plan of the run. Each further line is one record
# that was set aside: its file, its place, the reason, and its text.

# %%
for line in Path("events.bad.ndjson").read_text().splitlines()[1:]:
    print(json.dumps(json.loads(line), indent=2))

# %% [markdown]
# ## Progress
#
# A notebook and a terminal show progress on their own. `progress=` takes any function instead.
# It receives a `distil.Progress` at most ten times a second. An exception that it raises
# stops the run and leaves nothing behind.


# %%
def show(progress: distil.Progress) -> None:
    """A line that is written over again and again."""
    share = progress.done / progress.total if progress.total else 0.0
    print(f"\r{progress.stage:<7}|{'#' * int(20 * share):<20}| {share:4.0%}", end="", flush=True)


session = distil.Session(progress=show)
rows = session.read_json("incoming/", quarantine="bad.ndjson").drop_duplicates("ts").count()
print(f"\r{rows:,} rows{'':<30}")

# %% [markdown]
# `progress=False` shows nothing. The last cell removes the temporary directory.

# %%
os.chdir(Path(directory.name).parent)
directory.cleanup()
