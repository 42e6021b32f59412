"""What goes wrong on a cluster: tasks, executors and nodes that fail, on a standalone one of three Workers.

`make test-all` has each fault at several points.
"""

import contextlib
import json
import os
import shutil
import signal
import site
import subprocess
import sys
from pathlib import Path

import pytest

import distil
import distil.spark
from distil.spark._cluster import SparkCluster

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "spark"))

from cluster import Cluster
from processes import SPARK

FAULTS = Path(__file__).with_name("faults")
# Workers look for it on their PATH, where each has one of its own.
PYTHON = "python-of-tests"
ALL = "all"
EVERYWHERE = "DISTIL_CASES" in os.environ

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the addresses of its nodes are there on Linux alone"
)


@pytest.fixture(scope="module")
def cluster():
    """Three Workers, each with the Python of these tests."""
    try:
        cluster = Cluster()
    except SystemExit as missing:
        assert "DISTIL_REQUIRE_SPARK" not in os.environ, missing
        pytest.skip(str(missing))
    cluster.wait()
    for worker in cluster.workers:
        give_python(cluster, worker, [sys.executable])
    yield cluster
    cluster.stop()


def give_python(cluster, worker, command, exports=""):
    """What a node has for a Python, from the next application on."""
    script = cluster.directory(worker) / "bin" / PYTHON
    words = " ".join(f"'{word}'" for word in command)
    script.write_text(f'#!/bin/sh\n{exports}\nexec {words} "$@"\n')
    script.chmod(0o755)


class Applications:
    """Applications on the cluster, one at a time, each with an executor on each node. One is kept for the next test if that
    wants the same.
    """

    def __init__(self, cluster):
        self.cluster, self.confs, self.session = cluster, None, None

    def get(self, confs):
        if confs != self.confs:
            self.stop()
            self.confs, self.session = confs, self.started(confs)
        return self.session

    def started(self, confs):
        site.addsitedir(str(self.cluster.home.parent))
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        # A virtual machine that starts with the settings of one application has them in all later ones.
        SparkContext._ensure_initialized()
        builder = SparkSession.builder.master(self.cluster.master)
        settings = self.cluster.confs() | {
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.executor.memory": "512m",
            # No task runs before all executors are there.
            "spark.cores.max": "3",
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",
            "spark.scheduler.maxRegisteredResourcesWaitingTime": "600s",
        }
        for key, value in {**settings, **confs}.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        return session

    def stop(self):
        if self.session:
            self.session.stop()
        self.confs = self.session = None


@pytest.fixture(scope="module")
def applications(cluster):
    before = os.environ.get("PYSPARK_PYTHON")
    os.environ["PYSPARK_PYTHON"] = PYTHON
    applications = Applications(cluster)
    yield applications
    applications.stop()
    del os.environ["PYSPARK_PYTHON"]
    if before:
        os.environ["PYSPARK_PYTHON"] = before


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    """Where tasks look for their fault."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
def spark(applications, faults):
    """A session whose tasks may fail, and which has a second attempt of each task that takes longer than most."""
    return applications.get(
        {
            "spark.executorEnv.PYTHONPATH": str(FAULTS),
            "spark.executorEnv.DISTIL_FAULTS": str(faults),
            "spark.speculation": "true",
            "spark.speculation.interval": "50ms",
            "spark.speculation.multiplier": "1.0",
            "spark.speculation.quantile": "0.5",
        }
    )


def inject(faults, **fault):
    for file in faults.iterdir():
        file.unlink()
    (faults / "fault.json").write_text(json.dumps(fault))


@pytest.fixture(scope="module")
def incoming(tmp_path_factory):
    """Records, some bad ones among them, in several files."""
    source = tmp_path_factory.mktemp("incoming") / "in"
    distil.generate(source, files=6, records=2000, duplicates=300, spread=50, shape="lines")
    with next(source.iterdir()).open("a") as file:
        file.write('{"id":"1","data":}\n{"id":"2"\n')
    return source


def run(session, source):
    """The run of all tests here, in the current directory."""
    frame = session.read_json(source, quarantine="bad.ndjson")
    frame = frame.drop_duplicates("ts", order_by="id as text, data")
    return frame.write_parquet("events/", mode="overwrite", digest=True)


def on_executors(spark, source):
    # Some eight tasks that decode, and as many that write.
    return run(
        distil.spark.session(spark, kernels="native", task_bytes=100_000, progress=False), source
    )


@pytest.fixture(scope="module")
def native(incoming, tmp_path_factory):
    """What the native engine makes of it: report, digest and quarantine."""
    folder = tmp_path_factory.mktemp("native")
    with contextlib.chdir(folder):
        report = run(distil.Session(progress=False), incoming)
        return report, distil.digest("events/"), Path("bad.ndjson").read_bytes()


def assert_same(report, native, folder):
    """The rows, counts and bad records of the native engine, each part once, and nothing beside them."""
    expected, digest, quarantine = native
    assert report.records == expected.records and report.conflicts == expected.conflicts
    assert report.output.digest == expected.output.digest == digest
    parts = sorted(path.name for path in Path("events").iterdir())
    assert parts == [f"part-{at:05}.parquet" for at in range(report.output.files)]
    assert len(parts) > 1
    assert distil.digest("events/") == digest and distil.verify("events/").complete
    assert Path("bad.ndjson").read_bytes() == quarantine
    assert sorted(path.name for path in folder.iterdir()) == ["bad.ndjson", "events"]


POINTS = [
    ("decode", 2, "exit"),
    ("decode", 2, "raise"),
    ("decode", 2, "kill"),
    ("write", 1000, "exit"),
    ("write", 1000, "raise"),
    ("write", ALL, "exit"),
    ("write", ALL, "kill"),
]
if EVERYWHERE:
    POINTS += [("decode", after, how) for after in (0, 1, 3) for how in ("exit", "raise", "kill")]
    POINTS += [("write", after, how) for after in (0, 1, 8000) for how in ("exit", "raise")]


@pytest.mark.parametrize("stage, after, how", POINTS)
def test_a_task_that_fails_once_changes_nothing(
    spark, incoming, native, faults, tmp_path, stage, after, how
):
    inject(faults, stage=stage, after=after, how=how)
    report = on_executors(spark, incoming)
    assert (faults / "struck").exists()
    assert_same(report, native, tmp_path)


@pytest.mark.parametrize("stage, after", [("decode", 2), ("write", ALL)])
def test_of_two_attempts_at_once_one_counts(
    spark, incoming, native, faults, tmp_path, stage, after
):
    inject(faults, stage=stage, after=after, how="wait")
    report = on_executors(spark, incoming)
    assert (faults / "twin").exists()
    assert_same(report, native, tmp_path)


def test_rows_that_are_lost_between_the_stages_are_made_again(
    spark, incoming, native, faults, tmp_path, monkeypatch
):
    inject(faults)
    lost = []
    write = SparkCluster.write

    def after_a_loss(*arguments):
        lost.extend(executors(spark))
        for process in lost:
            os.kill(process, signal.SIGKILL)
        return write(*arguments)

    monkeypatch.setattr(SparkCluster, "write", after_a_loss)
    report = on_executors(spark, incoming)
    assert len(lost) == 3
    assert_same(report, native, tmp_path)


def executors(spark):
    """The processes of the executors of an application."""
    application = spark.sparkContext.applicationId.encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes().split(b"\0")
            if (
                application in line
                and b"org.apache.spark.executor.CoarseGrainedExecutorBackend" in line
            ):
                found.append(int(process.name))
    return found


@pytest.mark.parametrize(
    "stage, after, how, what",
    [
        ("decode", 1, "exit", "Python worker exited unexpectedly"),
        ("write", 1000, "raise", "File too large"),
    ],
)
def test_a_task_that_fails_each_time_fails_the_run_and_leaves_the_output(
    spark, incoming, native, faults, tmp_path, stage, after, how, what
):
    inject(faults)
    assert_same(on_executors(spark, incoming), native, tmp_path)
    before = {path: path.stat() for path in Path().rglob("*")}
    inject(faults, stage=stage, after=after, how=how, each_time=True)
    error = failure(spark, incoming)
    assert what in error and "127.0.0." in error
    assert before == {path: path.stat() for path in Path().rglob("*")}


def failure(spark, source):
    """What is told of a run that fails."""
    with pytest.raises(distil.DistilError) as raised:
        on_executors(spark, source)
    return "\n".join([str(raised.value), *raised.value.__notes__])


@pytest.fixture
def odd_node(cluster, applications):
    """Gives the second node another Python; a task that fails there is not tried elsewhere."""
    applications.stop()
    odd = cluster.workers[1]

    def with_python(command, exports=""):
        give_python(cluster, odd, command, exports)
        return odd, applications.get({"spark.task.maxFailures": "1"})

    yield with_python
    applications.stop()
    give_python(cluster, odd, [sys.executable])


def found(spark):
    return {
        executor.host: (executor.version, executor.works) for executor in distil.spark.check(spark)
    }


def test_a_node_without_the_package_is_named(cluster, odd_node, incoming, tmp_path):
    bare = SPARK / "bin" / "python"
    odd, spark = odd_node([bare])
    works = dict.fromkeys(cluster.workers, (distil.__version__, True))
    assert found(spark) == {**works, odd: (None, False)}
    error = failure(spark, incoming)
    assert f"distil is not installed on {odd}, which" in error
    assert f"pip install distil=={distil.__version__}" in error
    assert list(tmp_path.iterdir()) == []


def test_a_node_with_another_version_is_named(cluster, odd_node, incoming, tmp_path_factory):
    other = of_another_version(tmp_path_factory.mktemp("other"))
    odd, spark = odd_node([sys.executable], f'export PYTHONPATH="{other}:$PYTHONPATH"')
    works = dict.fromkeys(cluster.workers, (distil.__version__, True))
    assert found(spark) == {**works, odd: (OTHER, False)}
    error = failure(spark, incoming)
    assert f"the driver runs distil {distil.__version__}, this process distil {OTHER}" in error
    assert f"the task ran on {odd}" in error
    assert not list(Path().iterdir())


OTHER = "".join(
    str((int(digit) + 1) % 10) if digit.isdigit() else digit for digit in distil.__version__
)


def of_another_version(folder):
    """The package as it is, but for what its native module calls its version."""
    shutil.copytree(Path(distil.__file__).parent, folder / "distil")
    (module,) = (folder / "distil").glob("_native*.so")
    module.write_bytes(module.read_bytes().replace(distil.__version__.encode(), OTHER.encode()))
    return folder


def test_a_node_that_does_not_see_an_input_is_named(odd_node, incoming, tmp_path):
    hidden = f"mount -t tmpfs none '{incoming}' && exec \"$@\""
    command = ["unshare", "--mount", "sh", "-c", hidden, "sh"]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this user may not hide a directory from a process: {tried.stderr.strip()}")
    odd, spark = odd_node([*command, sys.executable])
    error = failure(spark, incoming)
    assert "No such file or directory" in error and str(incoming) in error
    assert f"the task ran on {odd}" in error
    assert list(tmp_path.iterdir()) == []
