"""Frames whose rows lie in a store of objects, on a server of this machine."""

import os
import sys
import urllib.request
import uuid
from pathlib import Path

import pytest

import distil

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "spark"))

from servers import on_demand


@pytest.fixture
def bucket(monkeypatch):
    """The URL of a new bucket, and an environment in which its server is S3."""
    with on_demand() as url:
        server = url("moto")
        if server is None and "DISTIL_REQUIRE_SPARK" not in os.environ:
            pytest.skip("the server moto does not start")
        assert server, "the server moto does not start, and DISTIL_REQUIRE_SPARK demands it"
        name = f"python-{uuid.uuid4().hex}"
        urllib.request.urlopen(urllib.request.Request(f"{server}/{name}", method="PUT"))
        monkeypatch.setenv("AWS_ENDPOINT_URL", server)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        yield f"s3://{name}"


def test_frames_are_read_from_and_written_to_a_store(bucket, write):
    write("in.ndjson", '{"id":1,"v":1}\n{"id":1,"v":2}\n{"id":2,"v":3}\n')
    frame = distil.read_json("in.ndjson").drop_duplicates("id", order_by="v desc")
    frame.write_parquet(f"{bucket}/out.parquet")
    again = distil.read_parquet(f"{bucket}/out.parquet")
    assert again.collect().to_pylist() == frame.collect().to_pylist()
    again.select(["id"]).write_parquet(f"{bucket}/ids.parquet")
    assert distil.read_parquet(f"{bucket}/ids.parquet").collect().to_pylist() == [
        {"id": 1},
        {"id": 2},
    ]
    with pytest.raises(distil.OutputExistsError):
        frame.write_parquet(f"{bucket}/out.parquet")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_process_that_forks_after_a_call_reads_on(bucket, write):
    write("in.ndjson", '{"id":1}\n')
    distil.read_json("in.ndjson").write_parquet(f"{bucket}/out.parquet")
    child = os.fork()
    if child == 0:
        rows = distil.read_parquet(f"{bucket}/out.parquet").collect().to_pylist()
        os._exit(0 if rows == [{"id": 1}] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
