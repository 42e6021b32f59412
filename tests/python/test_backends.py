"""The plan's own tests on every backend, by the rows and not by counts; a job that changes its backend."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spark"))

from servers import on_demand

BACKENDS = ["native", "pandas", "spark", "sail"]
# `make test-all` asks for many generated cases.
ALL = int(os.environ.get("DISTIL_CASES", "0")) > 1000

FIVE = [
    {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
    {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
    {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
    {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
    {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
]


@pytest.fixture(scope="module")
def servers():
    """The URLs of the servers, each started when it is asked for first."""
    with on_demand() as url:
        yield url


@pytest.fixture(params=BACKENDS)
def backend(request, distil, servers):
    """A backend by its name: the Python of these tests behind pandas, a server of this machine behind
    Spark and Sail."""
    section = f"python = {json.dumps(sys.executable)}"
    if request.param in ("spark", "sail"):
        url = servers(request.param)
        if url is None and "DISTIL_REQUIRE_SPARK" not in os.environ:
            pytest.skip(f"the server {request.param} does not start")
        assert url, (
            f"the server {request.param} does not start, and DISTIL_REQUIRE_SPARK demands it"
        )
        section = f"url = {json.dumps(url)}"
    if request.param != "native":
        distil.write("distil.toml", f"[backends.{request.param}]\n{section}\n")
        distil("trust")
    return request.param


def run(distil, backend, *arguments, output="out.parquet"):
    path, report = distil.run(*arguments, "--backend", backend, output=output)
    # Sail is one of Spark's servers.
    assert report["backend"] == ("spark" if backend == "sail" else backend)
    return path, report


@pytest.mark.parametrize(
    "key, expected",
    [
        (["ts"], [FIVE[0], FIVE[3]]),
        (["id", "ts"], [FIVE[0], FIVE[3], FIVE[4]]),
    ],
)
def test_the_five_records_leave_the_rows_that_the_order_says(distil, backend, key, expected):
    distil.write("in.json", json.dumps({"records": FIVE}))
    run(distil, backend, "in.json", "--key", ",".join(key), "--order-by", "id,data")
    found = [json.loads(line) for line in distil("head", "out.parquet").splitlines()]
    assert found == expected


def test_one_file_without_duplicates_comes_out_as_it_is(distil, backend):
    records = [FIVE[0], FIVE[3]]
    distil.write("in.json", json.dumps({"records": records}))
    _, report = run(distil, backend, "in.json", "--key", "ts")
    found = [json.loads(line) for line in distil("head", "out.parquet").splitlines()]
    assert found == records
    assert report["records"]["duplicates"] == {"identical": 0, "conflicting": 0}


# Files, records and duplicates in each: what the data holds is known, and the digest of the right
# rows with it.
SETS = [
    (1, 100, 0),
    (1, 97_500, 2_500),
    (100, 1_000, 0),
    (100, 1_000, 250),
    (10, 100, 10),
]
LARGE = [(1_000, 1_000, 2_500), (1_000, 10_000, 100)]


def generate_and_check(distil, backend, files, records, duplicates):
    size = ["--files", files, "--records", records, "--duplicates", duplicates]
    distil("generate", "data", *size, *(["--spread", "50%"] if files > 1 else []))
    answer = json.loads((distil.directory / "data.answer.json").read_text())
    read = files * (records + duplicates)
    assert answer["records"] == read
    for key in ["ts", "id,ts"]:
        _, report = run(distil, backend, "data", "--key", key, "--order-by", "id,data")
        assert report["records"]["read"] == read
        distil("verify", "out.parquet", "data.answer.json")


@pytest.mark.parametrize("files, records, duplicates", SETS)
def test_generated_data_leaves_exactly_the_right_rows(distil, backend, files, records, duplicates):
    generate_and_check(distil, backend, files, records, duplicates)


@pytest.mark.parametrize("files, records, duplicates", LARGE)
def test_large_generated_data_leaves_exactly_the_right_rows(
    distil, backend, files, records, duplicates
):
    if backend != "native" and not ALL:
        pytest.skip("in `make test-all`")
    generate_and_check(distil, backend, files, records, duplicates)


def test_a_job_changes_its_backend_by_one_line(distil):
    """A million records, with duplicates across files."""
    distil(
        "generate",
        "data",
        "--files",
        20,
        "--records",
        45_000,
        "--duplicates",
        5_000,
        "--spread",
        "50%",
    )
    backends = f'[backends.reference]\nengine = "pandas"\npython = "{sys.executable}"\n'
    job = '[jobs.events]\nsource = ["data/"]\nkey = ["ts"]\norder_by = ["id", "data"]\ndigest = true\n'
    reports = {}
    for name, line in [("native", ""), ("pandas", 'backend = "reference"\n')]:
        distil.write("distil.toml", backends + job + line + f'output = "{name}.parquet"\n')
        distil("trust")
        distil("run", "--job", "events", "--report", "report.json")
        reports[name] = json.loads((distil.directory / "report.json").read_text())
        assert reports[name]["backend"] == name
        distil("verify", f"{name}.parquet", "data.answer.json")
    distil("verify", "pandas.parquet", "native.parquet")
    assert reports["native"]["records"] == reports["pandas"]["records"]
    assert reports["native"]["output"]["digest"] == reports["pandas"]["output"]["digest"]
    assert reports["native"]["records"]["read"] == 1_000_000
