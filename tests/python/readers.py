"""Outputs as three other readers see them."""

from pathlib import Path

import duckdb
import polars
import pyarrow.parquet


def paths(output):
    """The data files of an output, in the order of its rows."""
    output = Path(output)
    return sorted(output.glob("*.parquet")) if output.is_dir() else [output]


def with_pyarrow(output):
    return [row for path in paths(output) for row in pyarrow.parquet.read_table(path).to_pylist()]


def with_duckdb(output):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    files = [str(path) for path in paths(output)]
    return connection.read_parquet(files).to_arrow_table().to_pylist()


def with_polars(output):
    return polars.concat([polars.read_parquet(path) for path in paths(output)]).to_dicts()


def assert_all_read(output, expected):
    """Every reader finds exactly these rows, in this order, with these columns."""
    for reader in (with_pyarrow, with_duckdb, with_polars):
        found = reader(output)
        assert len(found) == len(expected), reader.__name__
        for at, (row, wanted) in enumerate(zip(found, expected)):
            assert list(row) == list(wanted), f"{reader.__name__}, row {at}"
            assert row == wanted, f"{reader.__name__}, row {at}"
