"""How the tests of the package run: in a directory of their own, on a configuration of nobody else."""

import os
import site
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import distil
from distil._functions import default_session
from store import bucket

__all__ = ["bucket"]

# Seconds after which a program counts as one that hangs: no test that passes comes near it.
STANDSTILL = 3600
REPOSITORY = Path(__file__).resolve().parents[3]
SPARK_CONFIGURATION = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Each test has a directory of its own, and no configuration but what it writes there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    default_session.cache_clear()
    return tmp_path


@pytest.fixture
def write(tmp_path):
    """Writes a text to a file; returns its name."""

    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def python(tmp_path):
    """Runs a program of Python; returns what it did."""

    def run(program, *, status=0, options=()):
        command = [sys.executable, *options, "-c", textwrap.dedent(program)]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=STANDSTILL, check=False
        )
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture
def incoming(tmp_path):
    """Records with a known answer."""
    answer = distil.generate(
        tmp_path / "in", files=6, records=2000, duplicates=300, spread=50, shape="lines"
    )
    return tmp_path / "in", answer


@pytest.fixture
def suite(tmp_path):
    """The directories of the cases of the conformance suite; `make test-all` has generated ones besides."""
    program = os.environ.get("DISTIL_CASES_PROGRAM")
    if not program:
        pytest.skip(
            "set DISTIL_CASES_PROGRAM to the example `cases` of the testkit, or run `make test`"
        )
    generated = ["200"] if "DISTIL_CASES" in os.environ else []
    subprocess.run([program, tmp_path / "suite", *generated], check=True)
    return sorted((tmp_path / "suite").iterdir())


@pytest.fixture(scope="session")
def packages():
    """Where the modules of Spark are: of the environment that DISTIL_SPARK names, or else of that of the tests."""
    environment = os.environ.get("DISTIL_SPARK", ".venv-spark")
    found = sorted(REPOSITORY.glob(f"{environment}/lib/python*/site-packages"))
    if not found and "DISTIL_REQUIRE_SPARK" not in os.environ:
        pytest.skip("Spark is not installed: make spark-servers")
    assert found, "Spark is not installed, and DISTIL_REQUIRE_SPARK demands it"
    return found[0]


@pytest.fixture(scope="module")
def spark(packages):
    """A session of Spark on two threads: in this process, or by Spark Connect if DISTIL_SPARK_REMOTE says so."""
    site.addsitedir(str(packages))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    remote = os.environ.get("DISTIL_SPARK_REMOTE")
    builder = SparkSession.builder
    builder = builder.remote(remote) if remote else builder.master("local[2]")
    for key, value in SPARK_CONFIGURATION.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    if not remote:
        session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


EVENTS = [
    {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
    {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
    {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
    {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
    {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
]
