"""The backend `spark-submit`: the command submits an application to a real Spark."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import distil
from conftest import REPOSITORY, SPARK_CONFIGURATION, STANDSTILL
from store import ask


@pytest.fixture
def configured(packages, tmp_path, monkeypatch):
    """Writes a configuration with the backend `cluster`, whose options are those that are given and the usual ones."""
    home = packages / "pyspark"
    monkeypatch.setenv("SPARK_HOME", str(home))

    def write(**given):
        options = {"engine": "spark-submit", "master": "local[2]", "python": sys.executable}
        options |= {"submit": str(home / "bin" / "spark-submit")} | given
        lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
        properties = [f"{json.dumps(n)} = {json.dumps(v)}" for n, v in SPARK_CONFIGURATION.items()]
        text = ["[backends.cluster]", *lines, "[backends.cluster.conf]", *properties]
        (tmp_path / "distil.toml").write_text("\n".join(text))

    write()
    return write


def command(*arguments):
    first, *rest = arguments
    return [sys.executable, "-m", "distil", first, "--config", "distil.toml", *rest]


def finished(*arguments, status=0):
    """Runs the command to its end."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=STANDSTILL
    )
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done


def report_of(name):
    return json.loads(Path(name).read_text())


def test_a_run_by_spark_submit_is_a_run_as_any_other(configured, incoming):
    source, answer = incoming
    (source / "bad.ndjson").write_text('{"id":}\n')
    order = ["--key", "ts", "--order-by", "id as text, data", "--digest"]
    told = {}
    for backend, output in [("native", "native/"), ("cluster", "cluster/")]:
        beside = ["--quarantine", f"{backend}.bad", "--report", f"{backend}.json"]
        where = ["-o", output, "--backend", backend, "--progress", "always"]
        finished("run", "in", *order, *beside, *where)
        told[backend] = report_of(f"{backend}.json")
    native, cluster = told["native"], told["cluster"]
    assert cluster["output"]["digest"] == native["output"]["digest"] == answer.keys["ts"].digest
    assert cluster["records"] == native["records"] and cluster["inputs"] == native["inputs"]
    assert cluster["records"]["quarantined"]["records"] == 1
    # The first line names the plan, and so the output.
    bad = [Path(f"{backend}.bad").read_text().splitlines()[1:] for backend in told]
    assert bad[0] == bad[1] and len(bad[0]) == 1
    assert distil.verify("cluster/", "in.answer.json").complete
    # The report is the application's.
    assert cluster["backend"] == "spark-submit"
    assert cluster["engine"]["application"].startswith("local-")
    assert [stage["name"] for stage in cluster["stages"]] == ["decode", "write"]
    left = {path.name for path in Path().iterdir()} - {
        "in",
        "in.answer.json",
        "distil.toml",
        "config",
    }
    kinds = {"", ".bad", ".json"}
    assert left == {f"{backend}{kind}" for backend in told for kind in kinds}


def test_an_error_of_the_application_is_that_of_a_native_run(configured, write):
    write("bad.ndjson", '{"id":1}\n{"id":}\n{"id":3}\n')
    errors = []
    for backend in ["native", "cluster"]:
        name = f"{backend}.json"
        where = ["-o", "out/", "--backend", backend, "--report", name]
        finished("run", "bad.ndjson", "--key", "id", *where, status=1)
        errors.append(report_of(name)["error"])
        assert not Path("out").exists()
    assert errors[0] == errors[1] and errors[0]["code"] == "bad_records"


def test_a_store_of_objects_is_read_and_written(configured, incoming, bucket):
    """The uploads of tasks go by the application to the command, which completes them."""
    source, answer = incoming
    for path in source.iterdir():
        ask(f"{bucket}/in/{path.name}", "PUT", path.read_bytes())
    ask(f"{bucket}/in/bad.ndjson", "PUT", b'{"id":}\n')
    run = ["run", f"{bucket}/in", "--key", "ts", "--order-by", "id as text, data", "--digest"]
    to = ["-o", f"{bucket}/out/", "--backend", "cluster", "--report", "cluster.json"]
    beside = ["--quarantine", f"{bucket}/bad.ndjson"]
    finished(*run, *to, *beside)
    report = report_of("cluster.json")
    assert report["output"]["digest"] == answer.keys["ts"].digest
    assert report["records"]["quarantined"]["records"] == 1
    assert distil.verify(f"{bucket}/out/", "in.answer.json").complete
    assert ask(f"{bucket}/bad.ndjson").count(b"\n") == 2
    # One that fails leaves no object, and neither leaves an upload.
    before = ask(bucket, query="?list-type=2")
    finished(*run, "-o", f"{bucket}/other/", *to[2:], status=1)
    assert ask(bucket, query="?list-type=2") == before
    assert b"<Upload>" not in ask(bucket, query="?uploads")


def test_what_is_missing_is_told_with_what_to_do(configured, incoming):
    assert "Spark 4." in finished("backends", "check", "cluster").stdout
    assert re.search(
        r"^cluster +spark-submit +local\[2\]", finished("backends").stdout, re.MULTILINE
    )
    run = ["run", "in", "-o", "out/", "--key", "ts", "--backend", "cluster"]
    configured(python=str(REPOSITORY / ".venv-spark" / "bin" / "python"))
    told = finished(*run, status=3).stderr
    assert "does not have the package distil: No module named 'distil'" in told
    assert f"-m pip install distil=={distil.__version__}" in told
    configured(submit="no/spark-submit")
    told = finished(*run, status=3).stderr
    assert "no/spark-submit: the backend spark-submit did not start" in told and "submit = " in told
    configured(master="spark://127.0.0.1:1")
    told = finished(*run, status=3).stderr
    assert "the master spark://127.0.0.1:1 does not answer: Connection refused" in told
    configured(deploy_mode="cluster")
    assert "can't use the deploy mode `cluster`" in finished(*run, status=2).stderr
    assert not Path("out").exists()


@contextlib.contextmanager
def master(packages, folder):
    """A standalone master without workers: an application waits there for as long as it is let. Its URL, and a
    function that gives what it knows.
    """
    start = [packages / "pyspark" / "bin" / "spark-class", "org.apache.spark.deploy.master.Master"]
    where = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    log = folder / "master.log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            [*start, *where],
            stdout=out,
            stderr=out,
            env=environment,
            cwd=folder,
            start_new_session=True,
        ) as process,
    ):

        def logged(pattern):
            def found():
                text = log.read_text()
                assert process.poll() is None, text
                return re.search(pattern, text)

            return until(found)

        try:
            url = logged(r"Starting Spark master at (spark://\S+)").group(1)
            page = logged(r"Bound MasterWebUI to \S+, and started at (http://\S+)").group(1)

            def known():
                with urllib.request.urlopen(f"{page}/json/") as answer:
                    return json.load(answer)

            yield url, known
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def until(condition):
    """What a condition gives once it holds."""
    patience = time.monotonic() + STANDSTILL
    while not (found := condition()):
        assert time.monotonic() < patience
        time.sleep(0.1)
    return found


def test_ctrl_c_ends_the_application_and_leaves_nothing(configured, packages, incoming, tmp_path):
    elsewhere = tmp_path / "config"
    elsewhere.mkdir()
    with master(packages, elsewhere) as (url, known):
        configured(master=url)
        before = sorted(tmp_path.iterdir())
        run = command("run", "in", "-o", "out/", "--key", "ts", "--backend", "cluster")
        with subprocess.Popen(run, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: known()["activeapps"] or process.poll() is not None)
            assert sorted(tmp_path.iterdir()) != before
            process.send_signal(signal.SIGINT)
            told = process.communicate(timeout=STANDSTILL)[1]
        assert process.returncode == 130, told
        assert "interrupted" in told and "nothing was written" in told
        assert sorted(tmp_path.iterdir()) == before
        # Spark takes back what the application had.
        until(lambda: not known()["activeapps"])
        assert [application["name"] for application in known()["completedapps"]] == ["distil"]
