"""The plan's own tests through Python on every backend, by exact rows; one digest for all of them."""

import os
import sys
from pathlib import Path

import pytest

import distil
from conftest import EVENTS

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "spark"))

from servers import on_demand

BACKENDS = ["native", "pandas", "spark", "sail"]


@pytest.fixture(scope="module")
def servers():
    """The URLs of the servers, each started when it is asked for first."""
    with on_demand() as url:
        yield url


@pytest.fixture(params=BACKENDS)
def session(request, servers):
    """A session on a backend: the Python of these tests behind pandas, a server of this machine behind Spark and
    Sail."""
    section = {"engine": "native"}
    if request.param == "pandas":
        section = {"engine": "pandas", "python": sys.executable}
    elif request.param != "native":
        url = servers(request.param)
        if url is None and "DISTIL_REQUIRE_SPARK" not in os.environ:
            pytest.skip(f"the server {request.param} does not start")
        assert url, (
            f"the server {request.param} does not start, and DISTIL_REQUIRE_SPARK demands it"
        )
        section = {"url": url}
    return distil.Session("tested", config={"backends": {"tested": section}})


def ids(frame):
    return [(row["id"], row["data"]) for row in frame.collect().to_pylist()]


@pytest.mark.parametrize(
    "key, expected",
    [
        ("ts", [("10101", "ABC"), ("10102", "DEF")]),
        (["id", "ts"], [("10101", "ABC"), ("10102", "DEF"), ("1111", "XYZ")]),
    ],
)
def test_the_five_records_leave_the_rows_that_the_order_says(session, key, expected):
    frame = session.from_records(EVENTS).drop_duplicates(key, order_by="id as text, data")
    assert ids(frame) == expected
    assert frame.count() == len(expected)


def test_records_without_duplicates_come_out_as_they_are(session):
    records = [EVENTS[0], EVENTS[3]]
    report = session.from_records(records).drop_duplicates("ts").write_parquet("out.parquet")
    assert (
        report.rows,
        report.records.duplicates.identical,
        report.records.duplicates.conflicting,
    ) == (2, 0, 0)
    assert ids(session.read_parquet("out.parquet")) == [("10101", "ABC"), ("10102", "DEF")]


@pytest.mark.parametrize(
    "files, records, duplicates", [(1, 100, 0), (1, 9_750, 250), (10, 1_000, 25), (10, 100, 10)]
)
def test_generated_data_leaves_exactly_the_right_rows(session, files, records, duplicates):
    spread = 50 if files > 1 else 0
    answer = distil.generate(
        "data", files=files, records=records, duplicates=duplicates, spread=spread
    )
    for key, right in answer.keys.items():
        report = session.run(
            "data",
            "out.parquet",
            key=key,
            order_by="id as text, data",
            mode="overwrite",
            digest=True,
        )
        assert (report.records.read, report.rows, report.output.digest) == (
            answer.records,
            right.rows,
            right.digest,
        )
        assert distil.verify("out.parquet", "data.answer.json").complete


def test_the_steps_of_a_frame_mean_the_same(session):
    frame = session.from_records(EVENTS).drop_duplicates(
        "ts", order_by="id as text, data", keep="last"
    )
    frame = frame.rename({"id": "who"}).select("who")
    assert [row["who"] for row in frame.collect().to_pylist()] == ["10101", "1111"]
    assert frame.schema().types == {"who": "string"}


def test_a_backend_says_what_it_is(session):
    assert session.check()
    names = {backend.name: backend for backend in session.backends()}
    assert names["tested"].engine in BACKENDS
