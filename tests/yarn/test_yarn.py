"""The backend `spark-submit` on a real YARN, with inputs and outputs on its HDFS: `yarn.py around` runs these tests."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import distil
import pytest

ROOT = Path(__file__).resolve().parents[2]
# Seconds after which a program counts as one that hangs.
STANDSTILL = 3600
# What a Python of executors needs, of those that these tests have.
PACKED = ("distil", "pyarrow", "pandas", "numpy", "dateutil", "six")
USER = "alice"

pytestmark = pytest.mark.skipif(
    "DISTIL_YARN" not in os.environ, reason="there is no YARN: tests/yarn/yarn.py around"
)


class Hdfs:
    """The HDFS of YARN, by its pages: past the code that is tested."""

    def __init__(self):
        self.url = os.environ["DISTIL_HDFS"]
        site = Path(os.environ["HADOOP_CONF_DIR"], "hdfs-site.xml").read_text()
        pages = re.search(r"dfs\.namenode\.http-address</name><value>([^<]+)", site).group(1)
        self.pages = f"http://{pages}/webhdfs/v1"

    def ask(self, method, path, operation, data=None, user="root", **given):
        given = "".join(f"&{name}={text}" for name, text in given.items())
        url = f"{self.pages}/{path}?op={operation}&user.name={user}{given}"
        request = urllib.request.Request(url, method=method)
        try:
            with urllib.request.urlopen(request, timeout=STANDSTILL) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as told:
            # Contents go to the data node that the name node names.
            if told.code != 307:
                raise
            request = urllib.request.Request(told.headers["Location"], data, method=method)
        # Without a type it takes a body for a form.
        request.add_header("Content-Type", "application/octet-stream")
        with urllib.request.urlopen(request, timeout=STANDSTILL):
            return None

    def put(self, local, path):
        self.ask("PUT", path, "CREATE", local.read_bytes(), overwrite="true", permission="644")

    def below(self, path):
        """The files and directories at any depth below a directory, with their owners."""
        found = {}
        for status in self.ask("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]:
            name = f"{path}/{status['pathSuffix']}"
            found[name] = status["owner"]
            if status["type"] == "DIRECTORY":
                found |= self.below(name)
        return found


@pytest.fixture(scope="session")
def hdfs():
    hdfs = Hdfs()
    for directory in (f"user/{USER}", "data"):
        hdfs.ask("PUT", directory, "MKDIRS")
        hdfs.ask("PUT", directory, "SETOWNER", owner=USER)
    return hdfs


@pytest.fixture(scope="session")
def archive(hdfs, tmp_path_factory):
    """The environment of these tests as an archive on HDFS, which executors unpack."""
    environment = Path(sys.prefix)
    packages = next(environment.glob("lib/python*/site-packages"))
    wanted = [environment / "pyvenv.cfg", *environment.glob("bin/python*")]
    wanted += [found for name in PACKED for found in packages.glob(f"{name}*")]
    packed = tmp_path_factory.mktemp("archive") / "distil.tar.gz"

    def small(member):
        return None if re.search(r"/(tests|include|__pycache__)$", member.name) else member

    with tarfile.open(packed, "w:gz", compresslevel=1) as tar:
        for path in wanted:
            tar.add(path, path.relative_to(environment), filter=small)
    hdfs.ask("PUT", "envs", "MKDIRS", permission="755")
    hdfs.put(packed, "envs/distil.tar.gz")
    packed.unlink()
    return f"{hdfs.url}/envs/distil.tar.gz#distil"


@pytest.fixture
def place(hdfs, tmp_path, monkeypatch):
    """A directory of HDFS with records of a known answer in `in`, and a local one for all else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HADOOP_USER_NAME", USER)
    name = f"data/{re.sub('[^a-z_]', '', tmp_path.name)}"
    distil.generate("in", files=6, records=2000, duplicates=300, spread=50, shape="lines")
    for file in Path("in").iterdir():
        hdfs.put(file, f"{name}/in/{file.name}")
    hdfs.ask("PUT", name, "SETOWNER", owner=USER)
    yield name
    hdfs.ask("DELETE", name, "DELETE", recursive="true")


@pytest.fixture
def configured(archive, tmp_path):
    """Writes a configuration with the backend `yarn`, whose options are those that are given and the usual ones."""

    def write(deploy_mode, conf=(), **given):
        spark = Path(os.environ["SPARK_HOME"], "bin", "spark-submit")
        options = {"engine": "spark-submit", "master": "yarn", "deploy_mode": deploy_mode}
        options |= {"submit": str(spark), "python": sys.executable, "archives": [archive]} | given
        lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
        client = {"spark.driver.host": "127.0.0.1"} if deploy_mode == "client" else {}
        properties = {"spark.ui.enabled": "false", **client, **dict(conf)}
        lines += ["[backends.yarn.conf]", *(f'"{n}" = "{v}"' for n, v in properties.items())]
        (tmp_path / "distil.toml").write_text("\n".join(["[backends.yarn]", *lines]))

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


def applications():
    """The applications that YARN knows, the oldest first."""
    address = f"{os.environ['DISTIL_YARN']}/ws/v1/cluster/apps"
    with urllib.request.urlopen(address, timeout=STANDSTILL) as answer:
        known = (json.load(answer)["apps"] or {"app": []})["app"]
    return sorted(known, key=lambda application: application["startedTime"])


def attempts(application):
    address = f"{os.environ['DISTIL_YARN']}/ws/v1/cluster/apps/{application['id']}/appattempts"
    with urllib.request.urlopen(address, timeout=STANDSTILL) as answer:
        return json.load(answer)["appAttempts"]["appAttempt"]


def until(condition):
    """What a condition gives once it holds."""
    patience = time.monotonic() + STANDSTILL
    while not (found := condition()):
        assert time.monotonic() < patience
        time.sleep(0.2)
    return found


def names(hdfs, place):
    """What lies on HDFS, without what YARN and Spark keep for themselves."""
    return {*hdfs.below(place), *hdfs.below(f"user/{USER}")} - {f"user/{USER}/.sparkStaging"}


ORDER = ["--key", "ts", "--order-by", "id as text, data", "--digest"]


@pytest.mark.parametrize("deploy_mode", ["client", "cluster"])
def test_a_run_on_yarn_is_a_run_as_any_other(hdfs, place, configured, deploy_mode):
    configured(deploy_mode)
    assert re.search("master yarn of 3 nodes", finished("backends", "check", "yarn").stdout)
    Path("bad.ndjson").write_text('{"id":}\n')
    hdfs.put(Path("bad.ndjson"), f"{place}/in/bad.ndjson")
    before = names(hdfs, place)
    there = f"{hdfs.url}/{place}"
    told = {}
    for backend in ["native", "yarn"]:
        beside = ["--quarantine", f"{there}/{backend}.bad", "--report", f"{backend}.json"]
        where = ["-o", f"{there}/{backend}/", "--backend", backend]
        finished("run", f"{there}/in", *ORDER, *beside, *where)
        told[backend] = report_of(f"{backend}.json")
    native, yarn = told["native"], told["yarn"]
    digest = distil_answer()["keys"]["ts"]["digest"]
    assert yarn["output"]["digest"] == native["output"]["digest"] == digest
    assert yarn["records"] == native["records"] and yarn["inputs"] == native["inputs"]
    assert yarn["records"]["quarantined"]["records"] == 1
    # No key is there twice, and none is missing.
    assert distil.verify(f"{there}/yarn/", "in.answer.json").complete
    keys = distil.read_parquet(f"{there}/yarn/").to_arrow()["ts"].to_pylist()
    assert len(keys) == len(set(keys)) == distil_answer()["keys"]["ts"]["rows"]
    # The report is the application's, and its nodes are called as YARN calls them.
    last = applications()[-1]
    assert yarn["engine"]["application"] == last["id"] and last["finalStatus"] == "SUCCEEDED"
    assert len(attempts(last)) == 1
    nodes = {node["host"] for node in yarn["resources"]["nodes"]}
    assert nodes and nodes <= {"127.0.0.2", "127.0.0.3", "127.0.0.4"}
    # Nothing is left, on HDFS or here, and what is there belongs to who ran it, whoever runs the containers.
    after = names(hdfs, place)
    made = {name for name in after - before if not re.search(r"/(native|yarn)/[^/]+$", name)}
    assert made == {f"{place}/{name}" for name in ("native", "yarn", "native.bad", "yarn.bad")}
    owners = hdfs.below(place)
    assert {owners[name] for name in after - before} == {USER}
    local = {path.name for path in Path().iterdir()}
    kept = {"in", "in.answer.json", "bad.ndjson", "distil.toml", "config"}
    assert local - kept == {"native.json", "yarn.json"}


def distil_answer():
    return json.loads(Path("in.answer.json").read_text())


def test_an_error_on_a_node_is_that_of_a_native_run(hdfs, place, configured):
    configured("cluster")
    Path("bad.ndjson").write_text('{"id":1}\n{"id":}\n{"id":3}\n')
    hdfs.put(Path("bad.ndjson"), f"{place}/bad.ndjson")
    before = names(hdfs, place)
    errors = []
    for backend in ["native", "yarn"]:
        name = f"{backend}.json"
        where = ["-o", f"{hdfs.url}/{place}/out/", "--backend", backend, "--report", name]
        finished("run", f"{hdfs.url}/{place}/bad.ndjson", "--key", "id", *where, status=1)
        errors.append(report_of(name)["error"])
        assert names(hdfs, place) == before
    assert errors[0] == errors[1] and errors[0]["code"] == "bad_records"
    # YARN does not try again what has failed.
    assert len(attempts(applications()[-1])) == 1


def test_what_yarn_refuses_is_told_with_what_to_do(hdfs, place, configured, tmp_path, monkeypatch):
    there = f"{hdfs.url}/{place}"
    run = ["run", f"{there}/in", "-o", f"{there}/out/", "--key", "ts", "--backend", "yarn"]
    before = names(hdfs, place)
    for deploy_mode in ["client", "cluster"]:
        configured(deploy_mode, {"spark.yarn.queue": "elsewhere"})
        told = finished(*run, status=3).stderr
        assert "YARN has no such queue" in told and "spark.yarn.queue" in told, told
        assert "submitted by user alice to unknown queue: elsewhere" in told
    configured("cluster", {"spark.driver.memory": "64g"})
    told = finished(*run, status=3).stderr
    assert "a container of that size is larger than YARN gives" in told, told
    configured("cluster")
    told = finished("run", "in", *run[2:], status=2).stderr
    assert "needs names that are the same on all nodes" in told
    # The configuration of a YARN that is gone: nothing listens on port 1.
    gone = tmp_path / "config" / "hadoop"
    gone.mkdir(parents=True)
    for file in Path(os.environ["HADOOP_CONF_DIR"]).glob("*-site.xml"):
        text = file.read_text()
        if file.name == "yarn-site.xml":
            text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", text)
        (gone / file.name).write_text(text)
    monkeypatch.setenv("HADOOP_CONF_DIR", str(gone))
    told = finished(*run, status=3).stderr
    assert "the ResourceManager of YARN does not answer" in told and "HADOOP_CONF_DIR" in told
    assert names(hdfs, place) == before


@contextlib.contextmanager
def running(configured, place, url):
    """A run in cluster mode whose driver runs, and its application."""
    configured("cluster")
    known = {application["id"] for application in applications()}
    run = command(
        *("run", f"{url}/{place}/in", "-o", f"{url}/{place}/out/"),
        *("--key", "ts", "--backend", "yarn"),
    )

    def is_new(application):
        return application["id"] not in known

    with subprocess.Popen(run, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield (
                process,
                until(
                    lambda: (
                        process.poll() is not None
                        or next(
                            (
                                application
                                for application in filter(is_new, applications())
                                if application["state"] == "RUNNING"
                            ),
                            None,
                        )
                    )
                ),
            )
        finally:
            process.kill()


def test_ctrl_c_kills_the_application_on_its_node(hdfs, place, configured):
    before = names(hdfs, place)
    with running(configured, place, hdfs.url) as (process, application):
        assert names(hdfs, place) != before
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=STANDSTILL)[1]
    assert process.returncode == 130, told
    assert "interrupted" in told and "nothing was written" in told
    assert "could not be killed" not in told
    last = applications()[-1]
    assert last["id"] == application["id"] and last["state"] == "KILLED", last
    # Spark's own files go with the containers, a moment later.
    until(lambda: names(hdfs, place) == before)


def test_a_driver_that_is_killed_fails_the_run(hdfs, place, configured):
    before = names(hdfs, place)
    with running(configured, place, hdfs.url) as (process, application):
        container = application["id"].replace("application", "container")

        def driver():
            return processes_of(f"{container}_01_000001")

        for number in until(driver):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        told = process.communicate(timeout=STANDSTILL)[1]
    assert process.returncode == 3, told
    assert "the process that leads the application on YARN was killed" in told, told
    assert f"yarn logs -applicationId {application['id']}" in told
    assert applications()[-1]["state"] == "FAILED"
    assert len(attempts(applications()[-1])) == 1
    until(lambda: names(hdfs, place) == before)


def processes_of(container):
    """The processes of a container: Java and Python of the driver."""
    mark = f"CONTAINER_ID={container}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return found
