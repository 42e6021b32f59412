"""Frames whose rows lie in a store of objects, on a server of this machine."""

import json
import os

import pytest

import distil
from store import ask


def test_every_case_of_the_suite_comes_out_the_same_in_a_store(bucket, suite):
    """The conformance suite, with all of its files in a bucket: the bytes of the engine in memory. The server of the tests
    takes its time: `make test` has every twelfth case, `make test-all` has all."""
    session = distil.Session(progress=False)
    ran, problems = 0, []
    every = 1 if "DISTIL_CASES" in os.environ else 12
    for case in suite[::every]:
        plan = json.loads((case / "plan.json").read_text())
        files = [path for path in case.joinpath("in").rglob("*") if path.is_file()]
        # There a directory without files is none, and its columns would name the bucket.
        if not files or plan.get("origin"):
            continue
        url = f"{bucket}/{case.name}"
        for path in files:
            ask(f"{url}/{path.relative_to(case)}", "PUT", path.read_bytes())
        plan["sources"] = [f"{url}/in"]
        plan["sink"]["path"] = f"{url}/{plan['sink']['path']}"
        if plan.get("dropped"):
            plan["dropped"] = f"{url}/{plan['dropped']}"
        if plan.get("quarantine", {}).get("path"):
            plan["quarantine"]["path"] = f"{url}/{plan['quarantine']['path']}"
        ran += 1
        expected = case / "expected.parquet"
        try:
            report = session.run(plan=plan)
        except distil.DistilError as error:
            told = json.loads((case / "expected.json").read_text()) if not expected.exists() else {}
            if error.code != told.get("code"):
                problems.append(f"{case.name}: {error.code} {error}, expected {told}")
            continue
        output = plan["sink"]["path"]
        parts = (f"{output}/part-{number:05}.parquet" for number in range(report.output.files))
        names = [output] if plan["sink"].get("layout", "file") == "file" else parts
        if b"".join(ask(name) for name in names) != expected.read_bytes():
            problems.append(f"{case.name}: other bytes")
    assert ran > 850 // every and not problems, "\n".join(problems)


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


def test_a_signed_link_shows_no_secret_in_a_frame(bucket):
    link = f"{os.environ['AWS_ENDPOINT_URL']}/{bucket.removeprefix('s3://')}/none?sig=secret"
    for frame in (distil.read_json(link), distil.read_parquet([link]).select(["id"])):
        said = [repr(frame)]
        with pytest.raises(distil.DistilError) as failed:
            frame.count()
        said += [str(failed.value), repr(failed.value), str(failed.value.path)]
        assert all("secret" not in text for text in said) and "sig=***" in said[1]
    with pytest.raises(distil.DistilError) as failed:
        distil.digest(link)
    assert "secret" not in str(failed.value)
