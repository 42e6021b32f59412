"""The same job in other tools: each formulation as its own users would write it.

Run as `peers.py FORMULATION JOB`, where JOB is a `Job` in JSON. Each is one whole process.
"""

import glob
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Job:
    """One row for each value of `key`, the first by `order`, sorted by `key`."""

    files: str  # a pattern
    output: str
    key: str
    order: list[str]
    shape: str  # "documents": {"records": [...]} on one line; "lines"
    plain: bool  # the columns are id, data and ts; others have to be inferred

    @property
    def by(self):
        return ", ".join([self.key, *self.order])

    @property
    def paths(self):
        return sorted(glob.glob(self.files))


@dataclass
class Formulation:
    tool: str
    package: str
    shapes: tuple  # those it reads
    plain: bool  # whether it knows the columns beforehand
    run: Callable[[Job], None]


FORMULATIONS = {}


def formulation(tool, package, *shapes, plain=False):
    def register(function):
        FORMULATIONS[function.__name__] = Formulation(tool, package, shapes, plain, function)
        return function

    return register


# ClickHouse


def clickhouse(job, structure):
    import chdb

    unnested = job.shape == "documents"
    chdb.query(f"""
        SELECT {"r.id AS id, r.data AS data, r.ts AS ts" if unnested else "*"}
        FROM file('{job.files}', JSONEachRow{structure})
        {"ARRAY JOIN records AS r" if unnested else ""}
        ORDER BY {job.by} LIMIT 1 BY {job.key}
        INTO OUTFILE '{job.output}' FORMAT Parquet
        SETTINGS date_time_input_format = 'best_effort',
                 output_format_parquet_compression_method = 'snappy'""")


@formulation("ClickHouse", "chdb", "documents", "lines", plain=True)
def clickhouse_limit_by(job):
    columns = "id String, data String, ts DateTime64(3)"
    if job.shape == "documents":
        clickhouse(job, f", 'records Array(Tuple({columns}))'")
    else:
        clickhouse(job, f", '{columns}'")


@formulation("ClickHouse", "chdb", "documents", "lines", plain=True)
def clickhouse_limit_by_text(job):
    columns = "id String, data String, ts String"
    if job.shape == "documents":
        clickhouse(job, f", 'records Array(Tuple({columns}))'")
    else:
        clickhouse(job, f", '{columns}'")


@formulation("ClickHouse", "chdb", "documents", "lines")
def clickhouse_limit_by_inferred(job):
    clickhouse(job, "")


# DuckDB


def duckdb(job, query):
    import duckdb

    columns = "{id: 'VARCHAR', data: 'VARCHAR', ts: 'TIMESTAMP'}"
    if job.shape == "documents":
        struct = "STRUCT(id VARCHAR, data VARCHAR, ts TIMESTAMP)[]"
        read = f"read_json('{job.files}', columns = {{records: '{struct}'}})"
        source = f"(SELECT unnest(records, recursive := true) FROM {read})"
    elif job.plain:
        source = f"read_ndjson('{job.files}', columns = {columns})"
    else:
        source = f"read_ndjson('{job.files}')"
    duckdb.sql(f"COPY ({query.format(source=source)}) TO '{job.output}' (FORMAT parquet)")


@formulation("DuckDB", "duckdb", "documents", "lines")
def duckdb_distinct_on(job):
    duckdb(job, f"SELECT DISTINCT ON ({job.key}) * FROM {{source}} ORDER BY {job.by}")


@formulation("DuckDB", "duckdb", "documents", "lines")
def duckdb_qualify(job):
    number = f"row_number() OVER (PARTITION BY {job.key} ORDER BY {', '.join(job.order)})"
    duckdb(job, f"SELECT * FROM {{source}} QUALIFY {number} = 1 ORDER BY {job.key}")


@formulation("DuckDB", "duckdb", "documents", "lines", plain=True)
def duckdb_minimum(job):
    rest = ", ".join(job.order)
    duckdb(
        job,
        f"SELECT unnest(least), {job.key} FROM (SELECT {job.key}, min(struct_pack({rest})) AS least"
        f" FROM {{source}} GROUP BY {job.key}) ORDER BY {job.key}",
    )


# Polars


def polars_kept(records, job):
    by = [job.key, *job.order]
    return records.sort(by).unique(job.key, keep="first", maintain_order=True)


@formulation("Polars", "polars", "documents")
def polars_read_json(job):
    import polars as pl

    read = [pl.read_json(path).explode("records").unnest("records") for path in job.paths]
    polars_kept(pl.concat(read), job).write_parquet(job.output)


@formulation("Polars", "polars", "documents")
def polars_streaming_documents(job):
    import polars as pl

    records = pl.scan_ndjson(job.files).explode("records").unnest("records")
    polars_kept(records, job).sink_parquet(job.output, engine="streaming")


@formulation("Polars", "polars", "lines")
def polars_read_ndjson(job):
    import polars as pl

    polars_kept(pl.read_ndjson(job.files), job).write_parquet(job.output)


@formulation("Polars", "polars", "lines")
def polars_streaming(job):
    import polars as pl

    polars_kept(pl.scan_ndjson(job.files), job).sink_parquet(job.output, engine="streaming")


# DataFusion


def datafusion(job, query):
    from datafusion import SessionContext

    context = SessionContext()
    compression = {"gz": "gzip", "zst": "zstd"}.get(job.files.rsplit(".", 1)[1])
    extension = "." + job.files.rsplit("*.", 1)[1]
    directory = job.files.rsplit("/", 1)[0] + "/"
    context.register_json(
        "source", directory, file_extension=extension, file_compression_type=compression
    )
    source = "source"
    if job.shape == "documents":
        members = "r['id'] AS id, r['data'] AS data, r['ts'] AS ts"
        source = f"(SELECT {members} FROM (SELECT unnest(records) AS r FROM source))"
    context.sql(query.format(source=source)).write_parquet(job.output)


@formulation("DataFusion", "datafusion", "documents", "lines")
def datafusion_distinct_on(job):
    datafusion(job, f"SELECT DISTINCT ON ({job.key}) * FROM {{source}} ORDER BY {job.by}")


@formulation("DataFusion", "datafusion", "documents", "lines", plain=True)
def datafusion_first_value(job):
    first = ", ".join(
        f"first_value({name} ORDER BY {', '.join(job.order)}) AS {name}" for name in job.order
    )
    query = f"SELECT {first}, {job.key} FROM {{source}} GROUP BY {job.key} ORDER BY {job.key}"
    datafusion(job, query)


@formulation("DataFusion", "datafusion", "documents", "lines")
def datafusion_row_number(job):
    number = f"row_number() OVER (PARTITION BY {job.key} ORDER BY {', '.join(job.order)})"
    datafusion(job, f"SELECT * FROM {{source}} QUALIFY {number} = 1 ORDER BY {job.key}")


# pandas


@formulation("pandas", "pandas", "documents", "lines")
def pandas_drop_duplicates(job):
    import pandas as pd

    if job.shape == "documents":
        read = [pd.DataFrame(json.load(open(path))["records"]) for path in job.paths]
    else:
        # Without these, digits become integers and some fractions change.
        exact = {"dtype": False, "precise_float": True}
        read = [pd.read_json(path, lines=True, **exact) for path in job.paths]
    records = pd.concat(read, ignore_index=True).sort_values([job.key, *job.order])
    records.drop_duplicates(job.key, keep="first").to_parquet(job.output, index=False)


if __name__ == "__main__":
    FORMULATIONS[sys.argv[1]].run(Job(**json.loads(sys.argv[2])))
