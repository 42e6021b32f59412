"""Outputs as three other readers see them: a directory is given as it is, whatever is in it."""

from pathlib import Path

import duckdb
import polars
import pyarrow.parquet


def with_pyarrow(output):
    return pyarrow.parquet.read_table(output).to_pylist()


def with_duckdb(output):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    files = f"{output}/**" if Path(output).is_dir() else str(output)
    return connection.read_parquet(files).to_arrow_table().to_pylist()


def with_polars(output):
    return polars.scan_parquet(output).collect().to_dicts()


def assert_all_read(output, expected):
    """Every reader finds exactly these rows, in this order, with these columns."""
    for reader in (with_pyarrow, with_duckdb, with_polars):
        found = reader(output)
        assert len(found) == len(expected), reader.__name__
        for at, (row, wanted) in enumerate(zip(found, expected)):
            assert list(row) == list(wanted), f"{reader.__name__}, row {at}"
            assert row == wanted, f"{reader.__name__}, row {at}"
