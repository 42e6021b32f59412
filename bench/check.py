"""Tells what rows an output has, for comparing those of different tools.

Run as `check.py OUTPUT KEY EXPRESSION...`; prints JSON. A process of its own, because what it holds in
memory would count as that of the programs started later.
"""

import json
import os
import sys

import duckdb


def rows_of(output, key, expressions):
    """The number of rows, a hash of them in no order, and the keys not above the one before."""
    files = f"{output}/*" if os.path.isdir(output) else output
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    count, rows = database.execute(
        f"SELECT count(*), sum(hash({', '.join(expressions)})) FROM read_parquet(?)", [files]
    ).fetchone()
    (unsorted,) = database.execute(
        f"SELECT count(*) FILTER (this <= before) FROM"
        f" (SELECT {key} AS this, lag({key}) OVER () AS before FROM read_parquet(?))",
        [files],
    ).fetchone()
    return {"count": count, "hash": str(rows), "unsorted": unsorted}


if __name__ == "__main__":
    print(json.dumps(rows_of(sys.argv[1], sys.argv[2], sys.argv[3:])))
