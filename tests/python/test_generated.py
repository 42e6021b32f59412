"""Generated data, whose right outputs are known in advance."""

import gzip
import json

import pytest

import oracle
from readers import assert_all_read

JOBS = [
    ("ts", ["--order-by", "id, data"], [("id", 1), ("data", 1)]),
    ("id,ts", ["--order-by", "data"], [("data", 1)]),
]


def text_of(path):
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()


@pytest.mark.parametrize(
    "flags",
    [
        ["--shape", "document"],
        ["--shape", "array", "--seed", "7"],
        ["--shape", "lines", "--gzip", "--days", "400"],
    ],
    ids=lambda flags: flags[1],
)
@pytest.mark.parametrize("key, order, order_by", JOBS, ids=[job[0] for job in JOBS])
def test_the_output_is_the_known_answer_for_every_reader(distil, flags, key, order, order_by):
    size = ["--files", "4", "--records", "1500", "--duplicates", "300", "--spread", "40%"]
    distil("generate", "data", *size, *flags)
    output, report = distil.run("data", "--key", key, *order, "--digest")

    files = sorted((distil.directory / "data").iterdir())
    assert len(files) == 4
    records = [record for path in files for record in oracle.records_of(text_of(path))]
    assert len(records) == 4 * 1800
    right = oracle.Answer(records, key.split(","), order_by)
    assert_all_read(output, right.rows)

    known = json.loads((distil.directory / "data.answer.json").read_text())["keys"][
        ",".join(sorted(key.split(",")))
    ]
    assert known["rows"] == len(right.rows) == report["records"]["written"]
    duplicates = {"identical": right.identical, "conflicting": right.conflicting}
    assert known["duplicates"] == duplicates == report["records"]["duplicates"]
    assert known["digest"] == report["output"]["digest"]
    distil("verify", output, "data.answer.json")


def test_the_worked_example_of_the_plan(distil):
    second = '"2019-04-23T18:20:32.876Z"'
    distil.write(
        "in.json",
        '{"records": [{"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},'
        f'{{"id": "10102", "data": "XYZ", "ts": {second}}},'
        f'{{"id": "10102", "data": "XYZ", "ts": {second}}},'
        f'{{"id": "10102", "data": "DEF", "ts": {second}}},'
        f'{{"id": "1111", "data": "XYZ", "ts": {second}}}]}}',
    )
    records = oracle.records_of((distil.directory / "in.json").read_text())
    for key, order, expected in [
        ("ts", "id, data", [("10101", "ABC"), ("10102", "DEF")]),
        ("id,ts", "data", [("10101", "ABC"), ("10102", "DEF"), ("1111", "XYZ")]),
    ]:
        output, _ = distil.run("in.json", "--key", key, "--order-by", order)
        order_by = [(name, 1) for name in order.split(", ")]
        rows = oracle.Answer(records, key.split(","), order_by).rows
        assert [(row["id"], row["data"]) for row in rows] == expected
        assert_all_read(output, rows)
