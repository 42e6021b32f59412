# ruff: noqa: B018

# %% [markdown]
# # A nightly job
#
# Files of orders arrive in a landing folder, day by day. Every night one job reads the whole folder
# and replaces one Parquet file, with the newest version of each order.
#
# This notebook runs three nights of it: bad records, a type that must not change, the same day
# delivered twice, reports for people and for machines, and which errors are worth another try.
# It takes a few seconds and needs only `distil`.

# %%
import json
import os
import shutil
import tempfile
import traceback
from pathlib import Path
from typing import Any

import distil

directory = tempfile.TemporaryDirectory()
os.chdir(directory.name)

# %% [markdown]
# ## What arrives
#
# A day is a folder of two files, with an order on each line. Orders change for a day after they
# were made, so a third of a day's orders come again on the next, with a later `updated`.


# %%
def deliver(day: int) -> None:
    """The files of a day in the landing folder."""
    folder = Path("landing", f"2026-03-{day:02}")
    folder.mkdir(parents=True)
    for part in range(2):
        with (folder / f"orders-{part}.ndjson").open("w") as file:
            for number in range(day * 1000 + part * 750, day * 1000 + (part + 1) * 750):
                order = {
                    "order": number,
                    "status": ("new", "paid", "sent")[(number + day) % 3],
                    "quantity": 1 + number % 7,
                    "updated": f"2026-03-{day:02}T{number % 24:02}:{number % 60:02}:00Z",
                }
                file.write(json.dumps(order) + "\n")


deliver(1)
print(Path("landing/2026-03-01/orders-0.ndjson").read_text().splitlines()[0])

# %% [markdown]
# ## The job
#
# Everything is an option of one call. The same options could stand in `distil.toml` as
# `[jobs.orders]`; then the call is `distil.run(job="orders")`, and in a shell `distil run --job orders`.
#
# - `mode="overwrite"` replaces the file as a whole. A reader sees the old file or the new one.
# - `quarantine` sets bad records aside, and `max_quarantined` says how many are too many.
# - `schema_from` keeps the types of the file of yesterday.
# - `report` writes the report as JSON. A name that ends in `.html` makes it a page for people.

# %%
OUTPUT = Path("orders.parquet")


def nightly(report: str) -> distil.Report:
    """One night."""
    yesterday: dict[str, Any] = {"schema_from": OUTPUT} if OUTPUT.exists() else {}
    return distil.run(
        "landing/",
        OUTPUT,
        key="order",
        order_by="updated desc",
        quarantine="orders.bad.ndjson",
        max_quarantined="0.1%",
        mode="overwrite",
        digest=True,
        report=report,
        **yesterday,
    )


first_night = nightly("night-1.json")
first_night

# %% [markdown]
# ## The second night: a type changes
#
# One order of the second day has a quantity in words, and one line is cut. Looked at alone, the
# data says that `quantity` is now of mixed types, and the column would become JSON text:

# %%
deliver(2)
with Path("landing/2026-03-02/orders-1.ndjson").open("a") as late:
    late.write(
        '{"order": 9001, "status": "new", "quantity": "two", "updated": "2026-03-02T23:00:00Z"}\n'
    )
    late.write('{"order": 9002, "status": "ne')

distil.read_json("landing/", quarantine="unused.ndjson").schema()

# %% [markdown]
# With `schema_from` the column stays what it was, and the record with the words is a bad record,
# like the broken one. Both are set aside. The other columns and any new ones work as before.

# %%
second_night = nightly("night-2.html")
second_night

# %%
for line in Path("orders.bad.ndjson").read_text().splitlines()[1:]:
    bad = json.loads(line)
    print(f"{bad['file']} byte {bad['offset']}: {bad['reason']}, {bad['detail']}")

# %% [markdown]
# ## The same day, delivered twice
#
# The second day is delivered once more, under other names. The result is a function of the records
# alone. So the rows are the same, and so is their digest. A job can run twice, or run again
# after a failure, and nothing changes.

# %%
shutil.copytree("landing/2026-03-02", "landing/2026-03-02-again")
again = nightly("night-2-again.json")
print(f"{second_night.rows:,} rows of {second_night.records.read:,} records, then")
print(f"{again.rows:,} rows of {again.records.read:,} records")
assert again.output.digest == second_night.output.digest
assert again.records.duplicates.identical > second_night.records.duplicates.identical
print(again.output.digest)

# %% [markdown]
# ## Reports for machines
#
# The report is small and plain JSON. `Report.read` reads it again. `metrics()` is flat: numbers and
# short texts, which every orchestrator can store.

# %%
kept = distil.Report.read("night-1.json")
assert kept.rows == first_night.rows
print(sorted(path.name for path in Path().glob("night-*")))

{
    name: value
    for name, value in again.metrics().items()
    if "second" not in name and "byte" not in name
}

# %% [markdown]
# ## When a night fails
#
# A failed run raises `DistilError`, and leaves the output as it was. Two questions matter to a
# scheduler: can another try help (`error.retryable`), and is the output there all the same
# (`AfterCommitError`: the rows were written, but the report was not).


# %%
def advice(error: distil.DistilError) -> str:
    """What a scheduler should do."""
    if isinstance(error, distil.AfterCommitError):
        return "the output is there: do not run it again"
    if error.retryable:
        return "try again later"
    if isinstance(error, distil.InputError):
        return "fail: somebody must look at the data"
    return "fail: somebody must look at the job"


CONFIG = {"backends": {"broken": {"engine": "pandas", "python": "no-such-python"}}}


def attempt(source: str, output: str, backend: str = "native") -> None:
    """Runs a job without a quarantine, and prints what came of it."""
    try:
        report = distil.run(
            source, output, key="order", order_by="updated desc", backend=backend, config=CONFIG
        )
        print(f"{output}: {report.rows:,} rows")
    except distil.DistilError as error:
        print(f"{type(error).__name__}: {error}")
        print(f"    exit status {error.exit_status}: {advice(error)}")


attempt("landing/2026-03-01", "first.parquet")
attempt("landing/2026-03-01", "first.parquet")
attempt("landing/", "second.parquet")
attempt("landing/2026-03-01", "third.parquet", backend="broken")
attempt("nowhere/", "fourth.parquet")

# %% [markdown]
# The notes of an error say more. So does its report: a failed run has one too. Here the
# quarantine may hold one record, and the second day has two bad ones.

# %%
failed = None
try:
    distil.run(
        "landing/2026-03-02",
        "second.parquet",
        key="order",
        schema_from=OUTPUT,
        quarantine="second.bad.ndjson",
        max_quarantined=1,
    )
except distil.BadRecordsError as error:
    print("".join(traceback.format_exception_only(error)))
    failed = error.report

failed

# %% [markdown]
# ## In Airflow, Dagster, Prefect and cron
#
# distil imports none of them. The tasks below are not executed here.
#
# Airflow: a failure that another try can't mend must not be tried again.
#
# ```python
# @task(retries=3)
# def orders() -> dict:
#     try:
#         return nightly("report.json").metrics()          # becomes an XCom
#     except distil.DistilError as error:
#         if not error.retryable:
#             raise AirflowFailException(str(error)) from error
#         raise
# ```
#
# Dagster: metrics are metadata of the asset.
#
# ```python
# @asset
# def orders() -> MaterializeResult:
#     report = nightly("report.json")
#     return MaterializeResult(metadata={**report.metrics(), "dagster/row_count": report.rows})
# ```
#
# Prefect: the report as an artifact, and a retry only where it can help.
#
# ```python
# def can_help(task, task_run, state) -> bool:
#     try:
#         state.result()
#     except distil.DistilError as error:
#         return error.retryable
#     return True
#
# @task(retries=3, retry_condition_fn=can_help)
# def orders() -> None:
#     create_markdown_artifact(nightly("report.json").to_markdown())
# ```
#
# cron: the command has the same exit statuses as `error.exit_status`.
#
# ```
# 0 3 * * *  cd /srv/orders && distil run --job orders
# ```
#
# This is the text that `to_markdown` gives:

# %%
print(again.to_markdown())

# %% [markdown]
# The last cell removes the temporary directory.

# %%
os.chdir(Path(directory.name).parent)
directory.cleanup()
