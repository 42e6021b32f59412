"""Runs on the executors of Spark: classic on local threads, by Spark Connect, and by spark-submit."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow
import pytest

import distil
from conftest import SPARK_CONFIGURATION as CONFIGURATION
from distil.spark import _cluster, _tasks
from store import ask

# `make test-all` has everything.
EVERYWHERE = "DISTIL_CASES" in os.environ


def made(path, session):
    """What a run left there: a file, or the digest of rows that tasks cut otherwise than one process does, or that
    another writer encoded.
    """
    if path.is_dir() or (path.suffix == ".parquet" and session._spark._sql and path.exists()):
        return distil.digest(path)
    return path.read_bytes() if path.exists() else b""


def run_case(session, case):
    """Runs the plan of a case there. What differs from the native engine, as text, and why the case was refused: one of both, or
    none.
    """
    plan = json.loads((case / "plan.json").read_text())
    plan["sink"]["mode"] = "overwrite"
    beside = [plan.get("dropped"), (plan.get("quarantine") or {}).get("path")]
    outputs = [Path(path) for path in [plan["sink"]["path"], *beside] if path]
    try:
        report = session.run(plan=plan)
    except distil.DistilError as error:
        if error.code == "refused":
            return None, str(error)
        expected = json.loads(Path("expected.json").read_text())
        # How many bad records are known when there are too many, is up to who was met first.
        is_same = error.code == expected["code"] == "too_many_bad_records"
        if not is_same and (error.code, error.what) != (expected["code"], expected["what"]):
            return f"{case.name}: {error.code} {error}, expected {expected}", None
        return None, None
    found = [made(path, session) for path in outputs]
    expected = distil.Session(progress=False).run(plan=plan)
    if found != [made(path, session) for path in outputs]:
        return f"{case.name}: other rows", None
    told = [
        (told.records, told.warnings, told.conflicts, told.schema) for told in (report, expected)
    ]
    return (f"{case.name}: {told[0]}, expected {told[1]}" if told[0] != told[1] else None), None


def run_cases(cases, session_of, monkeypatch):
    """Runs cases, each in its directory; returns those that were refused, with why."""
    problems, refused = [], {}
    for case in cases:
        monkeypatch.chdir(case)
        problem, reason = run_case(session_of(case), case)
        problems += [problem] if problem else []
        refused |= {case.name: reason} if reason else {}
    assert not problems, "\n".join(problems)
    return refused


def test_every_case_of_the_suite_comes_out_the_same(spark, suite, monkeypatch):
    """The inputs of each case are cut into three tasks. A case is four jobs of Spark: `make test` has every twentieth,
    `make test-all` has all.
    """

    def session_of(case):
        size = sum(path.stat().st_size for path in (case / "in").rglob("*") if path.is_file())
        return distil.spark.session(
            spark, kernels="native", task_bytes=max(1, size // 3), progress=False
        )

    run_cases(suite[:: 1 if EVERYWHERE else 20], session_of, monkeypatch)


# What the backend spark says of a plan or an input that its SQL can't do, as docs/spark.md lists it.
REFUSED = re.compile(
    r"the backend spark can't (set bad records aside, so it only takes input|do what the plan asks for: )"
)


def test_every_case_of_the_suite_comes_out_the_same_by_sql_or_is_refused(spark, suite, monkeypatch):
    """A case is some queries that Spark compiles: `make test` has every fortieth, `make test-all` has all."""
    session = distil.spark.session(spark, kernels="sql", progress=False)
    cases = suite[:: 1 if EVERYWHERE else 40]
    refused = run_cases(cases, lambda _: session, monkeypatch)
    assert all(map(REFUSED.match, refused.values())), refused
    # Bad records are half of the suite.
    assert len(refused) < 0.7 * len(cases)


def test_many_tasks_write_many_parts_and_the_rows_of_one_process(spark, incoming, tmp_path):
    source, answer = incoming
    session = distil.spark.session(spark, task_bytes=100_000, progress=False)
    frame = session.read_json(source).drop_duplicates("ts", order_by="id as text, data")
    report = frame.write_parquet(tmp_path / "events/", digest=True)
    parts = sorted(path.name for path in (tmp_path / "events").iterdir())
    assert parts == [f"part-{at:05}.parquet" for at in range(len(parts))] and len(parts) > 1
    assert report.output.digest == answer.keys["ts"].digest
    assert distil.verify(tmp_path / "events").complete
    # One file is one task's, and has the bytes that one process gives it.
    frame.write_parquet(tmp_path / "spark.parquet")
    native = distil.Session(progress=False).read_json(source)
    native.drop_duplicates("ts", order_by="id as text, data").write_parquet("native.parquet")
    assert Path("spark.parquet").read_bytes() == Path("native.parquet").read_bytes()


def test_tasks_read_and_write_a_store_and_leave_no_upload(spark, incoming, bucket):
    source, _ = incoming
    for path in source.iterdir():
        ask(f"{bucket}/in/{path.name}", "PUT", path.read_bytes())
    ask(f"{bucket}/in/bad.ndjson", "PUT", b"[\n")
    # What a user sets by spark.executorEnv, before the application starts.
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    spark.sparkContext.environment.update({name: os.environ[name] for name in names})
    session = distil.spark.session(spark, task_bytes=100_000, progress=False)
    frame = session.read_json(f"{bucket}/in", quarantine=f"{bucket}/bad.ndjson")
    frame = frame.drop_duplicates("ts", order_by="id as text, data")
    native = distil.Session(progress=False)
    expected = native.read_json(f"{bucket}/in", quarantine="bad.ndjson")
    expected = expected.drop_duplicates("ts", order_by="id as text, data")
    expected = expected.write_parquet("native.parquet", digest=True)
    report = frame.write_parquet(f"{bucket}/events/", digest=True)
    assert report.records == expected.records and report.output.digest == expected.output.digest
    assert report.output.files > 1 and distil.verify(f"{bucket}/events/").complete
    assert distil.digest(f"{bucket}/events/") == report.output.digest
    bad = [ask(f"{bucket}/bad.ndjson"), Path("bad.ndjson").read_bytes()]
    assert bad[0].splitlines()[1:] == bad[1].splitlines()[1:] != []
    # One object is one task's.
    frame.write_parquet(f"{bucket}/events.parquet", mode="overwrite", digest=True)
    assert ask(f"{bucket}/events.parquet") == Path("native.parquet").read_bytes()
    assert b"<Upload>" not in ask(bucket, query="?uploads")
    with pytest.raises(distil.DistilError, match="exists already"):
        frame.write_parquet(f"{bucket}/events/")


def test_a_report_has_a_line_for_each_node_and_progress_comes_while_tasks_run(spark, incoming):
    steps = []
    session = distil.spark.session(spark, task_bytes=20_000, progress=steps.append)
    report = session.read_json(incoming[0]).drop_duplicates("ts").write_parquet("out/")
    (node,) = report.resources.nodes
    assert node.tasks > 10 and node.host == _tasks.host()
    assert 0 < node.cpu_seconds < report.resources.cpu_seconds
    assert node.peak_memory_bytes > 1 << 20
    assert {step.stage for step in steps} >= {"decode", "encode"}


def test_a_declared_schema_takes_one_job_of_spark(spark, incoming):
    source, answer = incoming
    schema = str(distil.schema(source))
    jobs = {}
    for name, declared in [("inferred/", None), ("declared/", schema)]:
        session = distil.spark.session(spark, task_bytes=200_000, progress=False)
        frame = session.read_json(source, schema=declared).drop_duplicates(
            "ts", order_by="id as text, data"
        )
        report = frame.write_parquet(name, digest=True)
        assert report.output.digest == answer.keys["ts"].digest
        jobs[name] = len(report.stages)
    assert jobs == {"inferred/": 2, "declared/": 1}


def test_executors_tell_their_version(spark):
    found = distil.spark.check(spark)
    assert found and all(executor.works for executor in found)
    assert {executor.version for executor in found} == {distil.__version__}


def test_a_session_of_spark_is_a_backend(spark, incoming):
    source, answer = incoming
    session = distil.Session(spark, progress=False)
    assert session.read_json(source).drop_duplicates("ts").count() == answer.keys["ts"].rows
    assert "Spark" in session.check()
    with pytest.raises(distil.UsageError, match="a name, a URL or a Spark session, not a list"):
        distil.Session([])


def test_a_run_that_is_stopped_leaves_nothing_and_the_session_goes_on(spark, incoming, tmp_path):
    source, answer = incoming

    class StoppedError(Exception):
        pass

    def stop(_):
        raise StoppedError

    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoppedError):
        distil.spark.session(spark, progress=stop).read_json(source).write_parquet("out/")
    assert sorted(tmp_path.iterdir()) == before
    rows = distil.Session(spark, progress=False).read_json(source).drop_duplicates("ts").count()
    assert rows == answer.keys["ts"].rows


def test_what_tasks_find_is_told_as_by_one_process(spark, write):
    write("bad.ndjson", '{"id":1}\n{"id":}\n{"id":3}\n')
    told = []
    for session in [distil.Session(spark, progress=False), distil.Session(progress=False)]:
        with pytest.raises(distil.BadRecordsError) as raised:
            session.read_json("bad.ndjson").write_parquet("out/")
        told.append((str(raised.value), raised.value.__notes__))
    assert told[0] == told[1]


def test_rows_come_to_the_partition_that_they_are_sent_to(spark):
    from pyspark.sql.functions import spark_partition_id

    for count in (1, 2, 7, 30):
        slots = _cluster.slots(count)
        frame = spark.createDataFrame([(slot,) for slot in slots], "slot int")
        placed = frame.repartition(count, "slot").select("slot", spark_partition_id()).collect()
        assert {slots.index(slot): partition for slot, partition in placed} == {
            partition: partition for partition in range(count)
        }


def test_failures_of_spark_are_translated():
    error = _tasks.TaskError('{"fault": "input", "what": "it is broken"}')
    trace = RuntimeError(f"Job aborted\n  {error}\n  at org.apache.spark")
    told = _cluster.explained(trace)
    assert told["what"] == "it is broken" and "the task ran on" in told["details"][0]
    lost = "Lost task 0.3 in stage 1.0 (TID 7) (10.0.0.3 executor 2): No module named 'distil'"
    told = _cluster.explained(RuntimeError(lost))
    assert told["what"] == (
        "distil is not installed on 10.0.0.3 (executor 2), which runs tasks of Spark"
    )
    assert _cluster.explained(RuntimeError("gone\nsomewhere"))["details"] == ["somewhere"]


def test_spark_connect_runs_tasks(packages, incoming, python):
    if not list(packages.glob("pyspark/jars/spark-connect_*.jar")):
        pytest.skip("this pyspark does not bring the server of Spark Connect")
    python(
        f"""
        import os, site, sys
        site.addsitedir({str(packages)!r})
        os.environ["PYSPARK_PYTHON"] = sys.executable
        import distil
        import distil.spark
        from pyspark.sql import SparkSession
        builder = SparkSession.builder.remote("local[2]")
        for key, value in {CONFIGURATION!r}.items():
            builder = builder.config(key, value)
        spark = builder.getOrCreate()
        session = distil.spark.session(spark, task_bytes=200_000, progress=False)
        frame = session.read_json({str(incoming[0])!r})
        report = frame.drop_duplicates("ts", order_by="id as text, data").write_parquet(
            "connect/", digest=True
        )
        assert report.output.digest == {incoming[1].keys["ts"].digest!r}, report.output.digest
        spark.stop()
        """
    )


def test_spark_submit_runs_a_plan(packages, incoming, tmp_path):
    source, answer = incoming
    plan = distil.plan(source, "submitted/", key="ts", order_by="id as text, data", digest=True)
    Path("plan.json").write_text(plan.to_json())
    module = subprocess.run(
        [sys.executable, "-m", "distil.spark"], check=True, capture_output=True, text=True
    )
    settings = [f"--conf={key}={value}" for key, value in CONFIGURATION.items()]
    submit = packages / "pyspark" / "bin" / "spark-submit"
    command = [submit, "--master=local[2]", *settings, module.stdout.strip()]
    environment = {
        **os.environ,
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_HOME": str(packages / "pyspark"),
        "PYTHONPATH": str(packages),
    }
    for arguments, status in [(["plan.json", "report.json"], 0), (["plan.json"], 5)]:
        done = subprocess.run(
            [*command, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr[-4000:]
    # Spark gives what a program of Python prints as its own output.
    assert "error: submitted: the output exists already" in done.stdout, done.stdout
    report = json.loads(Path("report.json").read_text())
    assert report["output"]["digest"] == answer.keys["ts"].digest == distil.digest("submitted/")
    assert report["engine"]["version"].startswith("Spark")


def test_sql_of_spark_does_the_work_where_the_package_is_missing(spark, incoming, monkeypatch):
    source, answer = incoming
    lacking = distil.spark.Executor("10.0.0.3 (executor 2)", None, False)
    monkeypatch.setattr("distil.spark._kernels.executors", lambda _: [lacking])
    with pytest.warns(RuntimeWarning, match=r"not installed on 10\.0\.0\.3 \(executor 2\)"):
        session = distil.spark.session(spark, progress=False)
    before = spark.conf.get("spark.sql.session.timeZone")
    frame = session.read_json(source).drop_duplicates("ts", order_by="id as text, data")
    report = frame.write_parquet("sql.parquet", digest=True)
    assert report.output.digest == answer.keys["ts"].digest
    assert any("pip install" in warning for warning in report.warnings)
    assert spark.conf.get("spark.sql.session.timeZone") == before


def test_a_frame_is_one_of_pyspark(spark, incoming):
    source, answer = incoming
    session = distil.spark.session(spark, kernels="sql", progress=False)
    rows = session.read_json(source).drop_duplicates("ts", order_by="id as text, data").to_spark()
    assert rows.schema.simpleString() == "struct<id:string,data:string,ts:timestamp>"
    assert rows.count() == answer.keys["ts"].rows
    with pytest.raises(distil.UsageError, match="native kernels hand no rows"):
        distil.spark.session(spark, kernels="native").read_json(source).to_spark()


def test_progress_is_the_share_of_the_tasks_that_are_done(spark, tmp_path):
    cluster = _cluster.SparkCluster(spark)
    heard = tmp_path / "heard"

    def wait_in_the_last(batches):
        import pathlib
        import time

        import pyarrow

        end = time.monotonic() + 600
        for batch in batches:
            while batch.column(0).to_pylist() == [3] and not pathlib.Path(heard).exists():
                assert time.monotonic() < end, "nobody heard of the tasks that are done"
                time.sleep(0.05)
            columns = {"kind": [1], "part": [0], "payload": [b"x"]}
            yield pyarrow.RecordBatch.from_pydict(columns, schema)

    columns = [("kind", pyarrow.int32()), ("part", pyarrow.int32()), ("payload", pyarrow.binary())]
    schema = pyarrow.schema(columns)
    tasks = spark.range(0, 4, 1, 4).mapInArrow(
        wait_in_the_last, "kind int, part int, payload binary"
    )
    done = []
    waiting = threading.Thread(target=lambda: done.extend(cluster._collect(tasks)))
    waiting.start()
    while not (share := cluster.progress()) and waiting.is_alive():
        time.sleep(0.05)
    heard.touch()
    waiting.join()
    assert 0 < share < 1 and len(done) == 4
