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
    schema = pyarrow.parquet.read_table(output).schema
    rows = polars.scan_parquet(output).collect().to_dicts()
    return [{name: as_text(row[name], schema.field(name).type) for name in row} for row in rows]


def as_text(value, data_type):
    """Polars has text that is annotated as JSON as bytes."""
    if value is None:
        return None
    if pyarrow.types.is_list(data_type):
        return [as_text(element, data_type.value_type) for element in value]
    if pyarrow.types.is_struct(data_type):
        members = {field.name: field.type for field in data_type}
        return {name: as_text(value[name], members[name]) for name in value}
    is_text = isinstance(value, bytes) and not pyarrow.types.is_binary(data_type)
    return value.decode() if is_text else value


def assert_all_read(output, expected):
    """Every reader finds exactly these rows, in this order, with these columns."""
    for reader in (with_pyarrow, with_duckdb, with_polars):
        found = reader(output)
        assert len(found) == len(expected), reader.__name__
        for at, (row, wanted) in enumerate(zip(found, expected)):
            assert list(row) == list(wanted), f"{reader.__name__}, row {at}"
            assert row == wanted, f"{reader.__name__}, row {at}"


def comparable(value):
    """A value by which rows can be counted: the order of rows is another test's matter."""
    if isinstance(value, dict):
        return tuple((name, comparable(value[name])) for name in sorted(value))
    if isinstance(value, list):
        return tuple(map(comparable, value))
    return value
