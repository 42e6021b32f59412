"""What a Parquet file has beside its rows: statistics, indexes, order, filters, words on itself."""

import json

import duckdb
import pyarrow.parquet
import pytest

import oracle
from readers import assert_all_read

ROWS = 5000


@pytest.fixture
def lines(distil):
    """Rows in no order, several kinds of columns, a few equal keys."""
    lines = [
        json.dumps(
            {
                "n": at * 7919 % ROWS,
                "name": f"name {at * 31 % 977}",
                "at": f"2024-01-{at % 28 + 1:02}T00:00:00.{at % 1000:03}Z",
                "nested": {"x": at / 8, "list": list(range(at % 4))},
            }
        )
        for at in range(ROWS + 50)
    ]
    distil.write("in.ndjson", "\n".join(lines))
    return lines


@pytest.fixture
def right(lines):
    return oracle.Answer([oracle.loads(line) for line in lines], ["n"])


@pytest.mark.parametrize(
    "compression, expected",
    [
        ("zstd", "ZSTD"),
        ("zstd:9", "ZSTD"),
        ("snappy", "SNAPPY"),
        ("lz4", "LZ4"),
        ("none", "UNCOMPRESSED"),
    ],
)
def test_every_compression_reads_back(distil, right, compression, expected):
    output, _ = distil.run("in.ndjson", "--key", "n", "--compression", compression)
    assert_all_read(output, right.rows)
    group = pyarrow.parquet.read_metadata(output).row_group(0)
    found = {group.column(at).compression for at in range(group.num_columns)}
    # pyarrow calls both of Parquet's LZ4 codecs by one name.
    assert {name.removesuffix("_RAW") for name in found} == {expected}


def test_a_directory_of_several_files_and_row_groups_reads_as_one_table(distil, right):
    flags = ["--layout", "dir", "--max-file-rows", "2000", "--row-group-rows", "700"]
    output, report = distil.run("in.ndjson", "--key", "n", *flags, output="out")
    files = sorted(output.iterdir())
    assert all(path.name.startswith("part-") for path in files), "a directory holds parts alone"
    assert len(files) == report["output"]["files"] >= 3
    metadata = [pyarrow.parquet.read_metadata(path) for path in files]
    assert sum(part.num_rows for part in metadata) == len(right.rows)
    assert all(part.num_rows <= 2000 for part in metadata)
    groups = [part.row_group(at).num_rows for part in metadata for at in range(part.num_row_groups)]
    assert len(groups) == report["output"]["row_groups"] > len(files)
    assert max(groups) <= 700
    assert_all_read(output, right.rows)


def test_the_page_index_the_order_and_the_statistics_are_there(distil, right):
    flags = ["--row-group-rows", "1000"]
    output, _ = distil.run("in.ndjson", "--key", "n", *flags)
    metadata = pyarrow.parquet.read_metadata(output)
    assert metadata.num_row_groups == 5
    first = 0
    for at in range(metadata.num_row_groups):
        group = metadata.row_group(at)
        assert [
            (order.column_index, order.descending, order.nulls_first)
            for order in group.sorting_columns
        ] == [(0, False, False)]
        for column in map(group.column, range(group.num_columns)):
            assert column.has_offset_index and column.has_column_index, column.path_in_schema
            assert column.is_stats_set, column.path_in_schema
        statistics = group.column(0).statistics
        assert (statistics.min, statistics.max) == (first, first + group.num_rows - 1)
        assert statistics.null_count == 0
        first += group.num_rows
    timestamp = metadata.schema.to_arrow_schema().field("at").type
    assert (timestamp.unit, timestamp.tz) == ("ms", "UTC")
    assert metadata.format_version == "2.6"


def test_a_bloom_filter_knows_what_is_not_there(distil, right):
    output, _ = distil.run("in.ndjson", "--key", "n", "--bloom", "name")
    query = "SELECT path_in_schema FROM parquet_metadata(?) WHERE bloom_filter_offset IS NOT NULL"
    assert duckdb.execute(query, [str(output)]).fetchall() == [("name",)]

    def excluded(name):
        probe = "SELECT bool_and(bloom_filter_excludes) FROM parquet_bloom_probe(?, 'name', ?)"
        return duckdb.execute(probe, [str(output), name]).fetchone()[0]

    present = {row["name"] for row in right.rows}
    assert not any(excluded(name) for name in sorted(present)[:200])
    absent = [excluded(f"nobody {at}") for at in range(200)]
    assert sum(absent) > 180


def test_the_footer_says_what_the_file_is(distil, right):
    output, report = distil.run("in.ndjson", "--key", "n", "--order-by", "name desc", "--digest")
    metadata = pyarrow.parquet.read_metadata(output)
    assert metadata.created_by.startswith("distil")
    words = {key.decode(): value.decode() for key, value in metadata.metadata.items()}
    assert words["distil.semantics"] == "2"
    dedup = json.loads(words["distil.dedup"])
    assert dedup["key"] == {"columns": ["n"]}
    assert dedup["order_by"] == [{"column": "name", "direction": "desc"}]
    assert dedup["keep"] == "first"
    schema = {field["name"]: field["type"] for field in json.loads(words["distil.schema"])}
    assert schema == right.schema_text()
    assert words["distil.digest"] == report["output"]["digest"]
    assert int(words["distil.rows"]) == len(right.rows)
    # Nothing of when, where or from what.
    everything = " ".join([*words, *words.values()])
    assert "in.ndjson" not in everything and str(distil.directory) not in everything
    distil("verify", output)


def test_the_same_records_give_the_same_bytes_on_any_number_of_threads(distil, lines):
    outputs = []
    for threads in (1, 3):
        output, _ = distil.run("in.ndjson", "--key", "n", "--threads", threads)
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]
