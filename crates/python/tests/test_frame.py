"""What frames are asked, and how: exact rows, exact values."""

import datetime
import json
import logging
from decimal import Decimal

import deltalake
import duckdb
import narwhals
import pandas
import polars
import pyarrow
import pytest

import distil
from conftest import EVENTS

UTC = datetime.UTC


def at(text):
    return datetime.datetime.fromisoformat(text)


FIRST = {"id": "10101", "data": "ABC", "ts": at("2019-04-23T17:25:43.111+00:00")}
SECOND = {"id": "10102", "data": "DEF", "ts": at("2019-04-23T18:20:32.876+00:00")}
THIRD = {"id": "1111", "data": "XYZ", "ts": at("2019-04-23T18:20:32.876+00:00")}


def events():
    """The rows of the plan's example, whose column order is that of the first record."""
    return distil.from_records(EVENTS)


def rows(frame):
    return frame.collect().to_pylist()


def test_the_ten_lines_give_a_report_and_rows(write):
    write("events.json", json.dumps({"records": EVENTS}))
    report = (
        distil.read_json("events.json", quarantine="events.bad.ndjson")
        .drop_duplicates("ts", order_by="id as text, data")
        .write_parquet("events.parquet", mode="overwrite", digest=True)
    )
    assert (report.status, report.rows, report.backend) == ("done", 2, "native")
    assert report.records.duplicates == type(report.records.duplicates)(identical=0, conflicting=3)
    assert report.output.digest == distil.digest("events.parquet")
    assert rows(distil.read_parquet("events.parquet")) == [FIRST, SECOND]
    verified = distil.verify("events.parquet", report)
    assert (verified.rows, verified.digest, verified.complete) == (2, report.output.digest, True)


@pytest.mark.parametrize(
    "key, expected", [("ts", [FIRST, SECOND]), (["id", "ts"], [FIRST, SECOND, THIRD])]
)
def test_one_row_of_every_key_stays(key, expected):
    found = events().drop_duplicates(key, order_by=["id as text", ("data", "asc")])
    assert rows(found) == expected
    assert found.count() == len(expected)


def test_the_order_says_which_row_stays_and_keep_which_end():
    last = events().drop_duplicates("ts", order_by="id as text, data", keep="last")
    assert rows(last) == [FIRST, THIRD]
    assert rows(events().drop_duplicates("ts", order_by=[("id as text", "desc")])) == [FIRST, THIRD]


def test_without_a_key_the_whole_row_is_it():
    assert events().drop_duplicates().count() == events().distinct().count() == 4
    assert (
        events().unique("ts", order_by="id as text, data").count()
        == events().dropDuplicates(["ts", "id"]).count() - 1
    )


def test_steps_mean_what_their_position_says():
    after = events().drop_duplicates("ts", order_by="id as text, data").select("data")
    assert [row["data"] for row in rows(after)] == ["ABC", "DEF"]
    before = events().select("data", "ts").drop_duplicates("ts", order_by="data desc")
    assert rows(before) == [{"data": "ABC", "ts": FIRST["ts"]}, {"data": "XYZ", "ts": SECOND["ts"]}]
    renamed = (
        events()
        .drop_duplicates("ts", order_by="id as text, data")
        .rename({"id": "who"})
        .select("who, ts")
    )
    assert renamed.collect().columns == ["who", "ts"]
    assert "plan 2 of 2" in renamed.explain()


def test_dropped_rows_go_to_a_file_of_their_own():
    frame = events().drop_duplicates("ts", order_by="id as text, data", dropped="dropped.parquet")
    assert frame.count() == 2
    with pytest.raises(distil.InputError):
        distil.read_parquet("dropped.parquet").count()
    frame.write_parquet("out.parquet")
    assert distil.read_parquet("dropped.parquet").count() == 3


def test_values_of_python_come_back_as_they_went():
    record = {
        "int": 2**53 + 1,
        "large": 10**30,
        "decimal": Decimal("1.50"),
        "float": 0.1,
        "text": "é\u2028",
        "none": None,
        "truth": True,
        "when": datetime.datetime(
            2024, 5, 1, 12, 30, 15, 123456, tzinfo=datetime.timezone(datetime.timedelta(hours=2))
        ),
        "day": datetime.date(2024, 5, 1),
        "bytes": b"\x00\xff",
        "list": [{"a": 1}, {"a": None}],
        "struct": {"b": [1, 2], "c": "x"},
    }
    types = {
        "bytes": "binary",
        "when": "timestamp(us)",
        "day": "date",
        "large": "decimal(38,0)",
        "decimal": "decimal(4,2)",
    }
    frame = distil.from_records([record], types=types)
    [found] = rows(frame)
    assert found.pop("none") is None
    expected = {name: value for name, value in record.items() if name != "none"}
    assert found == expected
    assert str(found["decimal"]) == "1.50"
    assert frame.schema().types["large"] == "decimal(38,0)"
    assert pyarrow.table(frame).column("int").to_pylist() == [2**53 + 1]


@pytest.mark.parametrize(
    "value, told",
    [
        (float("nan"), "record 1, a.b[1]: nan is no JSON number"),
        (Decimal("Infinity"), "record 1, a.b[1]: Infinity is no JSON number"),
        (datetime.datetime(2024, 1, 1), "record 1, a.b[1]: this datetime has no zone"),
        (object(), "record 1, a.b[1]: a value of the type object has no JSON form"),
    ],
)
def test_values_that_json_does_not_have_are_named(value, told):
    with pytest.raises(distil.InputError, match="^" + told.replace("[", r"\[").replace("]", r"\]")):
        distil.from_records([{"a": 1}, {"a": {"b": [1, value]}}])


def test_what_would_run_a_plan_unseen_says_what_to_call():
    frame = events()
    for use, told in [
        (len, r"\.count\(\)"),
        (bool, r"\.count\(\)"),
        (list, r"\.collect\(\)\.to_pylist\(\)"),
        (lambda frame: frame["id"], r"\.select"),
    ]:
        with pytest.raises(TypeError, match=told):
            use(frame)


def test_tools_of_others_take_frames_and_tables_and_give_theirs():
    frame = events().drop_duplicates("ts", order_by="id as text, data")
    ids = ["10101", "10102"]
    for taken in (frame, frame.collect()):
        assert polars.DataFrame(taken)["id"].to_list() == ids
        assert pyarrow.table(taken)["id"].to_pylist() == ids
        assert duckdb.sql("select id from taken order by ts").fetchall() == [
            (text,) for text in ids
        ]
        assert taken.to_pandas()["id"].tolist() == ids
        assert taken.to_polars().schema["ts"] == polars.Datetime("ms", "UTC")
    assert narwhals.from_arrow(frame, backend="polars")["id"].to_list() == ids
    deltalake.write_deltalake("table", frame)
    assert deltalake.DeltaTable("table").to_pyarrow_table()["id"].to_pylist() == ids
    arrow = frame.to_arrow()
    for given in (
        arrow,
        arrow.to_reader(),
        polars.DataFrame(arrow),
        arrow.to_batches()[0],
        duckdb.from_arrow(arrow),
    ):
        assert rows(distil.from_arrow(given)) == [FIRST, SECOND], type(given)
    pandas_frame = pandas.DataFrame({"a": [1, None], "b": ["x", "y"]}, index=[5, 6]).astype(
        {"a": "Int64"}
    )
    assert rows(distil.from_pandas(pandas_frame)) == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    assert rows(distil.from_arrow(pyarrow.table({"a": pyarrow.array([], "int64")}))) == []


def test_integers_beside_nulls_keep_all_digits_in_pandas():
    large = 9007199254740993
    frame = distil.from_records([{"k": 1, "n": large}, {"k": 2, "n": None}]).drop_duplicates("k")
    assert frame.to_pandas()["n"].iloc[0] == large
    assert frame.to_pandas(dtype_backend="numpy")["n"].iloc[0] == 9007199254740992.0
    with pytest.raises(ValueError, match="numpy"):
        frame.to_pandas(dtype_backend="numbers")


def test_cached_rows_are_not_read_again_and_others_are_told_of_once(write, tmp_path, caplog):
    write("in.ndjson", '{"id":1}\n{"id":1}\n{"id":2}\n')
    frame = distil.read_json("in.ndjson").drop_duplicates("id")
    kept = frame.cache()
    assert kept.cache() is kept and frame.cache() is kept
    caplog.set_level(logging.INFO, "distil")
    for _ in range(3):
        assert frame.count() == 2
    told = [record for record in caplog.records if "reads everything again" in record.message]
    assert len(told) == 1 and ".cache()" in told[0].message
    (tmp_path / "in.ndjson").unlink()
    assert kept.count() == 2 and rows(kept.select("id")) == [{"id": 1}, {"id": 2}]
    assert polars.DataFrame(frame)["id"].to_list() == [1, 2]
    with pytest.raises(distil.InputError):
        frame.count()


def test_temporary_files_go_with_the_frames(tmp_path):
    session = distil.Session(temp_dir=tmp_path)
    frame = session.from_records([{"a": 1}])
    kept = frame.select("a").cache()
    assert (
        len(
            list(
                tmp_path.glob(
                    "*",
                )
            )
        )
        >= 1
        and kept.count() == 1
    )
    hidden = [
        path for path in tmp_path.iterdir() if path.name.startswith((".distil", "distil-records"))
    ]
    assert len(hidden) == 2
    del frame, kept
    assert [path for path in tmp_path.iterdir() if "distil" in path.name] == []


def test_a_table_is_shown_as_text_and_as_html_whatever_it_holds():
    hostile = "<script>\x1b[31m"
    table = distil.from_records(
        [{hostile: hostile, "long": "x" * 100, "none": None}] * 30
    ).collect()
    text = repr(table)
    assert "\x1b" not in text and "30 rows, 10 shown" in text and "…" in text
    html = table._repr_html_()
    assert "<script>" not in html and "\x1b" not in html and html.count("<tr>") == 11
    assert len(table) == table.num_rows == 30 and table.columns == [hostile, "long", "none"]


def test_decimals_are_shown_with_all_their_digits():
    table = distil.from_records([{"price": 2}], types={"price": "decimal(5,2)"}).collect()
    assert "2.00" in repr(table) and "2.00" in table._repr_html_()


def test_a_schema_is_a_sequence_and_its_text_declares_it(write):
    write("in.ndjson", '{"id":1,"a b":"x"}\n')
    schema = distil.schema("in.ndjson")
    assert schema.types == {"id": "int64", "a b": "string"} and schema.names == ["id", "a b"]
    declared = distil.read_json("in.ndjson", schema=str(schema))
    assert (
        declared.schema() == schema == distil.read_json("in.ndjson", schema=schema.types).schema()
    )
    assert [column.name for column in schema[:1]] == ["id"] and len(schema) == 2


def test_a_job_runs_as_the_command_runs_it(write, tmp_path):
    write("in.ndjson", '{"id":1,"v":1}\n{"id":1,"v":2}\nbroken\n')
    write("distil.toml", '[jobs.j]\nsource = ["in.ndjson"]\noutput = "o.parquet"\nkey = "id"\n')
    report = distil.run(
        job="j", quarantine="bad.ndjson", order_by="v desc", report="r.json", threads=1
    )
    assert (report.rows, report.records.quarantined.records) == (1, 1)
    assert distil.Report.read("r.json").to_dict() == report.to_dict()
    plan = distil.plan(
        "in.ndjson", "p.parquet", key="id", order_by=[("v", "desc")], quarantine="b2.ndjson"
    )
    write("plan.json", json.dumps(dict(plan)))
    assert distil.run(plan=plan).records == report.records
    (tmp_path / "p.parquet").unlink()
    (tmp_path / "b2.ndjson").unlink()
    assert distil.run(plan="plan.json", dry_run=True, report="dry.json").status == "dry_run"
    with pytest.raises(distil.UsageError, match="takes nothing beside it: key"):
        distil.run(plan=plan, key="id")
    assert report.metrics()["rows"] == 1
    assert "| rows | 1 |" in report.to_markdown()
    assert str(report).startswith("records") and "<div" in report._repr_html_()
    assert report.to_html().startswith("<!doctype html>")


def test_a_configuration_can_be_data_and_names_backends():
    config = {"backend": "other", "backends": {"other": {"engine": "native", "threads": 1}}}
    session = distil.Session(config=config)
    assert "threads=1" in repr(session)
    assert "memory='128 MiB'" in repr(distil.Session(memory=128 << 20))
    names = {backend.name: backend for backend in session.backends(check=True)}
    assert names["other"].engine == "native" and names["other"].works
    assert distil.backends()[0].works is None


def test_generated_data_has_its_answer():
    answer = distil.generate("data", files=3, records=100, duplicates=10, spread=50)
    assert answer.records == 330
    report = distil.run("data", "out.parquet", key="ts", order_by="id as text, data", digest=True)
    right = answer.keys["ts"]
    assert (report.rows, report.output.digest) == (right.rows, right.digest)
    assert report.records.duplicates.identical == right.identical
    assert distil.verify("out.parquet", "data.answer.json").complete


def test_ten_lines_stand_for_the_aliases_of_others(write):
    frame = events().drop_duplicates("ts", order_by="id as text, data")
    assert frame.to_parquet("a.parquet").rows == frame.sink_parquet("b.parquet").rows == 2
    assert distil.digest("a.parquet") == distil.digest("b.parquet")
    with pytest.raises(distil.UsageError, match="maintain_order"):
        events().unique("ts", maintain_order=True)
    for keep in (False, "none"):
        with pytest.raises(distil.UsageError, match='keep is "first" or "last"'):
            events().drop_duplicates("ts", keep=keep)


def test_reports_tell_of_what_users_know(write):
    frame = distil.from_records(EVENTS).drop_duplicates("ts", order_by="id as text, data")
    report = frame.rename({"data": "text"}).write_parquet("o.parquet", digest=True)
    assert [found.path for found in report.inputs] == ["records of Python"]
    assert {tuple(sorted(conflict.kept)) for conflict in report.conflicts} == {("id", "text", "ts")}
    assert (
        distil.verify("o.parquet", report).checks["rows"]
        == "as many as the footer and the report say"
    )
    assert "in 1 file |" in report.to_markdown()
    write("in.ndjson", '{"id":1}\nbroken\n')
    schema = distil.schema("in.ndjson", quarantine="bad.ndjson", schema_from=None)
    assert schema.types == {"id": "int64"}


def test_broken_text_says_nothing_of_where_records_lie(write):
    write("in.json", '{"records":[{"id":1},{"id":2},{"id":}]}')
    with pytest.raises(distil.BadRecordsError) as info:
        distil.read_json("in.json").drop_duplicates("id").count()
    assert [hint.option for hint in info.value.hints if hint.option] == ["quarantine"]
