"""The survivor rule on DataFrames of Spark: the rows that distil keeps of the same rows."""

import base64
import json
import os
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import distil
import distil.spark

#: Names that Spark folds or takes apart, if they are not quoted, and one that stands first by its place alone.
COLUMNS = {
    "z": ("int", "int32"),
    "k.ey": ("bigint", "int64"),
    "Id": ("string", "string"),
    "id": ("double", "float64"),
    "b`t": ("boolean", "boolean"),
    "d": ("decimal(20,3)", "decimal(20,3)"),
    "t": ("timestamp", "timestamp(us)"),
    "day": ("date", "date"),
    "x": ("binary", "binary"),
    "s": (
        "struct<b: string, B: double, a: array<int>>",
        "struct<b: string, B: float64, a: list<int32>>",
    ),
    "l": ("array<struct<q: int, p: string>>", "list<struct<q: int32, p: string>>"),
    "m": ("array<array<double>>", "list<list<float64>>"),
}
SPARK_TYPE = ", ".join(f"`{name.replace('`', '``')}` {kinds[0]}" for name, kinds in COLUMNS.items())
SCHEMA = {name: kinds[1] for name, kinds in COLUMNS.items()}


def generated(random):
    """A row of few values, so that many rows share a key and differ late, if at all."""

    def maybe(value):
        return None if random.random() < 0.3 else value()

    def word():
        return random.choice(["", "a", "ab", "b", "ä", "𐀀", "\uffff"])

    def number():
        return random.choice([-1.5, -0.0, 0.0, 2.0, 1e300])

    def few(value):
        return [maybe(value) for _ in range(random.randrange(3))]

    values = {
        "z": lambda: random.choice([-1, 0, 1]),
        "k.ey": lambda: random.choice([-(2**63), 0, 2**53 + 1]),
        "Id": word,
        "id": number,
        "b`t": lambda: random.random() < 0.5,
        "d": lambda: Decimal(random.choice(["-0.001", "0.000", "12345678901234567.125"])),
        "t": lambda: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=random.randrange(2)),
        "day": lambda: datetime(1969, 12, 31).date() + timedelta(days=random.randrange(2)),
        "x": lambda: bytes([random.choice([0, 127, 128, 255])]) * random.randrange(3),
        "s": lambda: {
            "b": maybe(word),
            "B": maybe(number),
            "a": maybe(lambda: few(lambda: random.randrange(2))),
        },
        "l": lambda: few(lambda: {"q": maybe(lambda: random.randrange(2)), "p": maybe(word)}),
        "m": lambda: few(lambda: few(number)),
    }
    return {name: maybe(value) for name, value in values.items()}


def plain(value):
    """A value of JSON."""
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        # Spark gives instants in the zone of this process.
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {name: plain(below) for name, below in value.items()}
    if isinstance(value, list | tuple):
        return [plain(below) for below in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def sorted_texts(rows):
    # Both zeros are one number.
    texts = (json.dumps(plain(row), sort_keys=True) for row in rows)
    return sorted(text.replace("-0.0", "0.0") for text in texts)


ORDERS = [
    {"subset": '"k.ey"'},
    {"subset": '"k.ey"', "keep": "last"},
    {"subset": ["Id"], "order_by": "id desc, t"},
    {"subset": "id", "order_by": [("Id", "desc"), "d desc"], "keep": "last"},
    {"subset": "b`t, z", "order_by": "s.B desc, x"},
    {"subset": "s.b", "order_by": 's."B"'},
    {"subset": "x", "keep": "last"},
    {"subset": "day, t", "order_by": "day desc"},
    {},
]


@pytest.mark.parametrize("options", ORDERS, ids=lambda options: json.dumps(options))
def test_generated_rows_have_the_survivors_of_the_native_engine(spark, options):
    rows = [generated(random.Random(seed % 350)) for seed in range(400)]
    lines = [json.dumps(plain(row)) for row in rows]
    Path("rows.ndjson").write_text("\n".join(lines))
    native = distil.Session(progress=False).read_json("rows.ndjson", schema=SCHEMA)
    expected = native.drop_duplicates(**options, null_keys="value").collect().to_pylist()
    frame = spark.createDataFrame([tuple(row.values()) for row in rows], SPARK_TYPE)
    found = distil.spark.drop_duplicates(frame.repartition(7), **options, null_keys="value")
    assert found.schema == frame.schema
    found = [row.asDict(recursive=True) for row in found.collect()]
    assert sorted_texts(found) == sorted_texts(expected) and len(found) < len(rows)


def test_rows_of_the_suite_have_the_survivors_of_the_native_engine(spark, suite, monkeypatch):
    """The rows of a case, as Parquet before and after: every eighth with a key, in `make test-all` every one."""
    native = distil.Session(progress=False)
    confs = {
        "spark.sql.caseSensitive": "true",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    }
    for name, value in confs.items():
        spark.conf.set(name, value)
    problems, compared = [], 0
    cases = [case for case in suite if (case / "expected.parquet").exists()]
    cases = [case for case in cases if "dedup" in json.loads((case / "plan.json").read_text())]
    for case in cases[:: 1 if "DISTIL_CASES" in os.environ else 8]:
        monkeypatch.chdir(case)
        plan = json.loads(Path("plan.json").read_text())
        plan = {
            name: value
            for name, value in plan.items()
            if name not in ("columns", "dropped", "quarantine")
        }
        dedup = plan["dedup"]
        plan["sink"].update(path="after.parquet", layout="file", mode="overwrite")
        before = {**plan, "sink": {**plan["sink"], "path": "before.parquet"}}
        before.pop("dedup")
        try:
            schema = native.run(plan=plan).schema
            native.run(plan=before)
        except distil.DistilError:
            # Records that are set aside there, or a key without values: no rows to compare.
            continue
        if any(kind in str(schema) for kind in ("json", "(ns")) or dedup["key"] == "record":
            # Other types in Parquet than in distil.
            continue
        order = [f"{term['column']} {term['direction']}" for term in dedup["order_by"]]
        found = distil.spark.drop_duplicates(
            spark.read.parquet(str(case / "before.parquet")),
            dedup["key"]["columns"],
            order_by=order or None,
            keep=dedup["keep"],
            null_keys="value",
        )
        found.write.parquet(str(case / "spark"))
        compared += 1
        if distil.digest("spark") != distil.digest("after.parquet"):
            problems.append(f"{case.name}: {dedup}")
    for name in confs:
        spark.conf.unset(name)
    assert compared > 5 and not problems, "\n".join(problems)


def test_numbers_that_json_does_not_have(spark):
    rows = [(1, value) for value in ("nan", "inf", "-inf", "0", "-0.0", None)]
    frame = spark.createDataFrame(rows, "k int, v string").selectExpr("k", "CAST(v AS DOUBLE) AS v")

    def kept(frame, **options):
        return [row.v for row in distil.spark.drop_duplicates(frame, "k", **options).collect()]

    assert kept(frame) == [float("-inf")]
    assert str(kept(frame, keep="last")) == "[nan]"
    zeros = frame.where("v = 0")
    assert str(kept(zeros)) == str(kept(zeros.orderBy("v"), keep="last")) == "[0.0]"
    assert distil.spark.drop_duplicates(frame).count() == 5


def test_nothing_runs_before_it_is_asked_for(spark):
    broken = spark.range(3).selectExpr("id", "raise_error('it was read') AS v")
    frame = distil.spark.drop_duplicates(broken, "id")
    assert frame.columns == ["id", "v"]
    with pytest.raises(Exception, match="it was read"):
        frame.collect()


def test_a_null_in_the_key_is_an_error_or_a_value(spark):
    frame = spark.createDataFrame([(None, 1), (None, 2), ("it's", 3)], "`k'` string, v int")
    with pytest.raises(Exception, match=r"a row has no value in its key, \"k'\""):
        distil.spark.drop_duplicates(frame, "k'").collect()
    kept = distil.spark.drop_duplicates(frame, "k'", null_keys="value").collect()
    assert sorted(row.v for row in kept) == [1, 3]


def test_what_has_no_order_is_refused_by_name(spark):
    frame = spark.createDataFrame([(1, {"a": 1})], "id int, m map<string, int>")
    nested = frame.selectExpr("id", "array(named_struct('in', m)) AS l")
    with pytest.raises(distil.UsageError, match=r"the column m has the type map<string,int>"):
        distil.spark.drop_duplicates(frame, "id")
    with pytest.raises(distil.UsageError, match=r"the column l\.in has the type map"):
        distil.spark.drop_duplicates(nested, "id")
    assert distil.spark.drop_duplicates(frame.select("id"), "id").count() == 1


def test_columns_that_are_not_there_are_named(spark):
    frame = spark.createDataFrame([(1, (2,), [3])], "Id int, s struct<a: int>, l array<int>")
    with pytest.raises(distil.ColumnNotFoundError, match="no column id") as raised:
        distil.spark.drop_duplicates(frame, "id")
    assert raised.value.column == "id" and raised.value.nearest == ["Id"]
    with pytest.raises(distil.ColumnNotFoundError, match=r"no column s\.A"):
        distil.spark.drop_duplicates(frame, "s.A")
    for key in ("l", "s"):
        with pytest.raises(distil.InputError, match=f"the column {key} can't be a key"):
            distil.spark.drop_duplicates(frame, key)
    with pytest.raises(distil.UsageError, match="two columns have the name Id"):
        distil.spark.drop_duplicates(frame.select("Id", "Id"), "Id")
    with pytest.raises(distil.UsageError, match='"first" or "last"'):
        distil.spark.drop_duplicates(frame, "Id", keep=False)
