# ruff: noqa: B018

# %% [markdown]
# # Beside pandas and Polars
#
# One job, done four times: by distil, by distil on its pandas backend, by hand in pandas, and by
# hand in Polars. Then the results are compared by their digest.
#
# It takes up to half a minute, and needs `distil`, `pandas`, `polars` and `pyarrow`.
# Most of the time goes into starting the process of the pandas backend.

# %%
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import distil
import pandas as pd
import polars as pl

directory = tempfile.TemporaryDirectory()
os.chdir(directory.name)

answer = distil.generate("incoming", files=4, records=2_000, duplicates=200, spread=50)
files = sorted(Path("incoming").iterdir())
seconds: dict[str, float] = {}


def timed(name: str, job: Callable[[], object]) -> None:
    """Runs a job, and notes how long it took."""
    begun = time.perf_counter()
    job()
    seconds[name] = time.perf_counter() - begun


# %% [markdown]
# ## distil
#
# Of the rows with the same `ts` the one with the least `id` stays, and then the least `data`.


# %%
def native() -> None:
    """The job in distil."""
    (
        distil.read_json("incoming/")
        .drop_duplicates("ts", order_by="id as text, data")
        .write_parquet("native.parquet", digest=True)
    )


timed("distil", native)

# %% [markdown]
# ## distil on pandas
#
# A backend is a line of configuration. The plan is the same, and pandas runs it in a process of its
# own: `python` names the program, here the Python of this notebook. This is a reference to
# compare with, not a way to be fast.

# %%
reference = distil.Session(
    "pandas", config={"backends": {"pandas": {"engine": "pandas", "python": sys.executable}}}
)


def on_pandas() -> None:
    """The same lines, on another engine."""
    (
        reference.read_json("incoming/")
        .drop_duplicates("ts", order_by="id as text, data")
        .write_parquet("backend.parquet", digest=True)
    )


timed("distil on pandas", on_pandas)

# %% [markdown]
# ## pandas by hand
#
# `drop_duplicates` of pandas keeps what arrives first, so the rows are sorted before.


# %%
def by_pandas() -> None:
    """The job in pandas."""
    rows = [row for file in files for row in json.loads(file.read_text())["records"]]
    frame = pd.DataFrame(rows)
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)
    frame = frame.sort_values(["ts", "id", "data"]).drop_duplicates("ts")
    frame.to_parquet("pandas.parquet", index=False)


timed("pandas", by_pandas)

# %% [markdown]
# ## Polars by hand


# %%
def by_polars() -> None:
    """The job in Polars."""
    (
        pl.concat(pl.read_json(file).explode("records").unnest("records") for file in files)
        .with_columns(pl.col("ts").str.to_datetime(time_unit="ms", time_zone="UTC"))
        .sort("ts", "id", "data")
        .unique("ts", keep="first", maintain_order=True)
        .write_parquet("polars.parquet")
    )


timed("Polars", by_polars)

# %% [markdown]
# ## The same rows?
#
# `distil.digest` reads any Parquet file. The digest is of the rows and their values. The data is
# generated, so the right digest is known as well.

# %%
NAMES = ["native", "backend", "pandas", "polars"]
digests = {name: distil.digest(f"{name}.parquet") for name in NAMES}
for name, digest in digests.items():
    print(f"{name:<8} {digest}")
assert set(digests.values()) == {answer.keys["ts"].digest}

# %% [markdown]
# `verify` says more where both files exist: here that the rows of the first are sorted, that each key
# is there once, and that the values are those of the second. The first file must be one of distil.

# %%
distil.verify("native.parquet", "pandas.parquet").checks

# %% [markdown]
# ## What must be alike
#
# The digest is of values, not of how a file stores them. Each line below writes the rows of Polars
# in another way:

# %%
rows = pl.read_parquet("polars.parquet")
ts = pl.col("ts")
OTHERS: dict[str, pl.DataFrame] = {
    "columns in another order": rows.select("ts", "data", "id"),
    "rows in another order": rows.reverse(),
    "timestamps in microseconds": rows.with_columns(ts.dt.cast_time_unit("us")),
    "timestamps in another zone": rows.with_columns(ts.dt.convert_time_zone("Europe/Zurich")),
    "timestamps of UTC without a zone": rows.with_columns(ts.dt.replace_time_zone(None)),
    "strings as categories": rows.with_columns(pl.col("data").cast(pl.Categorical)),
    "a column of nulls more": rows.with_columns(pl.lit(None).alias("note")),
    "timestamps as text": rows.with_columns(ts.dt.to_string("iso:strict")),
    "ids as integers": rows.with_columns(pl.col("id").cast(pl.Int64)),
    "local time without a zone": rows.with_columns(
        ts.dt.convert_time_zone("Europe/Zurich").dt.replace_time_zone(None)
    ),
    "a column of row numbers more": rows.with_row_index(),
    "the last row left out": rows.head(-1),
}
right = digests["native"]
for change, frame in OTHERS.items():
    frame.write_parquet("other.parquet")
    print(f"{'same ' if distil.digest('other.parquet') == right else 'OTHER'}  {change}")

# %% [markdown]
# So these may differ: the order of rows and of columns, the unit and the zone of instants, and how
# strings are encoded. A null column counts as absent. These may not: values, the kind of a value
# (text, number, instant), and the names of columns. Two habits change the digest: the index of
# pandas, which `to_parquet` writes as a column unless `index=False`, and local times
# without a zone.
#
# ## What differs in practice: which row stays
#
# The usual line in pandas does not sort. Then the row that stays is the first to arrive, and
# that depends on the names of the files. The count of rows is the same, the rows are not:


# %%
def unsorted(order: list[Path]) -> str:
    """The digest of what pandas keeps of the files in this order."""
    read = [row for file in order for row in json.loads(file.read_text())["records"]]
    frame = pd.DataFrame(read).drop_duplicates("ts")
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)
    frame.to_parquet("unsorted.parquet", index=False)
    assert len(frame) == answer.keys["ts"].rows
    return distil.digest("unsorted.parquet")


assert len({unsorted(files), unsorted(files[::-1]), right}) == 3
try:
    distil.verify("native.parquet", "unsorted.parquet")
except distil.VerificationError as error:
    print("".join(traceback.format_exception_only(error)))

# %% [markdown]
# ## How long it took
#
# An illustration, not a benchmark: 8,800 records are few, so the start of processes decides, and this
# build of distil may be one without optimisation. `docs/benchmarks.md` has measured tables.

# %%
fastest = min(seconds.values())
for name, spent in seconds.items():
    print(f"{name:<17} {spent / fastest:6.1f} times the fastest")

# %% [markdown]
# The last cell removes the temporary directory.

# %%
os.chdir(Path(directory.name).parent)
directory.cleanup()
