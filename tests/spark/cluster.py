"""A standalone cluster of Spark on loopback addresses, which needs Linux: a Master and a History Server on 127.0.0.1, and
Workers on 127.0.0.2 and so on, each with one core and 1 GB, from the Spark of `make spark-servers`, on free ports.

    cluster.py up                  starts it, waits until all of it answers, prints its URLs and a job to try
    cluster.py down                stops what `up` started, and nothing else
    cluster.py around COMMAND ...  starts it, runs shell commands one after another, and stops it; they find it in
                                   DISTIL_SPARK_MASTER, DISTIL_SPARK_HISTORY and DISTIL_SPARK_EVENTS

Workers find a Python that is given without a directory on a PATH that begins with `bin` in a directory of their own, as
machines do. What executors write is in that directory as well, and goes with the cluster.
"""

import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from processes import HERE, PATIENCE, is_alive, require_java, run, spark_home, stop

STATE = HERE / ".cache" / "spark-cluster"
DEPLOY = "org.apache.spark.deploy"
# Daemons that compute nothing: small, and quickly there.
SMALL = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


class Cluster:
    """A cluster that starts; `wait` says when it is there. `enter` is called with its name in each process before it
    becomes a server, for who wants to put it somewhere. `begun` is called each time that a process has begun.
    """

    def __init__(self, workers=3, memory="1g", enter=None, begun=None):
        require_java()
        self.home = spark_home()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="distil-cluster-"))
        self.events = self.folder / "events"
        self.events.mkdir()
        self.workers = [f"127.0.0.{number + 2}" for number in range(workers)]
        self.memory, self.enter, self.begun = memory, enter, begun
        self.master = self.history = self.page = None
        self.processes = {}
        try:
            self.begin("master", "127.0.0.1", "master.Master", "--port", "0", "--webui-port", "0")
            self.begin("history", "127.0.0.1", "history.HistoryServer")
        except BaseException:
            self.stop()
            raise

    def begin(self, name, address, main, *arguments):
        """Starts a server of Spark by its class; what it says is in a file of its name."""
        own = self.directory(name)
        (own / "bin").mkdir(parents=True)
        given = {key: text for key, text in os.environ.items() if not key.startswith("SPARK_")}
        environment = given | {
            "SPARK_HOME": str(self.home),
            "SPARK_LOCAL_IP": address,
            "SPARK_LOCAL_DIRS": str(own / "local"),
            "SPARK_DAEMON_MEMORY": "512m" if name == "history" else "256m",
            "SPARK_DAEMON_JAVA_OPTS": SMALL,
            "SPARK_HISTORY_OPTS": f"-Dspark.history.fs.logDirectory=file:{self.events}"
            " -Dspark.history.ui.port=0 -Dspark.history.fs.update.interval=2s",
            "PATH": f"{own / 'bin'}:{os.environ['PATH']}",
        }
        host = ["--host", address] if arguments else []
        command = [self.home / "bin" / "spark-class", f"{DEPLOY}.{main}", *host, *arguments]
        with self.log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=own,
                env=environment,
                start_new_session=True,
                preexec_fn=functools.partial(self.enter, name) if self.enter else None,
            )
        if self.begun:
            self.begun(self)

    def directory(self, name):
        """What is a server's own."""
        return self.folder / name

    def log(self, name):
        return self.folder / f"{name}.log"

    def wait(self):
        """Until all Workers have registered, and the History Server answers. Stops all of it where that can't be."""
        try:
            self.master = self.told("master", r"Starting Spark master at (spark://\S+)")
            self.page = self.told("master", r"MasterWebUI.* started at (http://\S+)")
            for worker in self.workers:
                size = ["--cores", "1", "--memory", self.memory, "--webui-port", "0"]
                self.begin(worker, worker, "worker.Worker", *size, self.master)
            self.until(self.registered, *self.workers)
            self.history = self.told("history", r"HistoryServer.* started at (http://\S+)")
        except BaseException:
            self.stop()
            raise

    def told(self, name, pattern):
        def found():
            said = re.search(pattern, self.log(name).read_text(errors="replace"))
            return said and said.group(1)

        return self.until(found, name)

    def registered(self):
        return self.state()["aliveworkers"] == len(self.workers)

    def state(self):
        """What the Master says of Workers and applications."""
        with urllib.request.urlopen(f"{self.page}/json/", timeout=PATIENCE) as answer:
            return json.load(answer)

    def until(self, ready, *names):
        """What `ready` gives once it gives something, while the servers of these names run."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if found := ready():
                return found
            for name in names:
                if (status := self.processes[name].poll()) is not None:
                    self.fail(name, f"ended with status {status}")
            time.sleep(0.1)
        return self.fail(names[0], "does not answer")

    def fail(self, name, why):
        said = self.log(name).read_text(errors="replace")[-3000:]
        sys.exit(f"{said}\n{name} of the Spark cluster {why}; above is what it said last")

    def confs(self):
        """What an application takes to run here, and to be seen by the History Server."""
        return {
            "spark.driver.host": "127.0.0.1",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": f"file:{self.events}",
        }

    def submit(self):
        """The beginning of a command that submits."""
        confs = [word for pair in self.confs().items() for word in ("--conf", "=".join(pair))]
        return [str(self.home / "bin" / "spark-submit"), "--master", self.master, *confs]

    def variables(self):
        return {
            "DISTIL_SPARK_MASTER": self.master,
            "DISTIL_SPARK_HISTORY": self.history,
            "DISTIL_SPARK_EVENTS": str(self.events),
        }

    def stop(self):
        stop(*(process.pid for process in self.processes.values()))
        for process in self.processes.values():
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def python():
    """A Python for executors: the one that is asked for, that of the tests if it has distil, any other."""
    of_tests = HERE / ".venv-package"
    if any(of_tests.glob("lib/python*/site-packages/distil")):
        of_tests = str(of_tests / "bin" / "python")
    else:
        of_tests = None
    return os.environ.get("PYSPARK_PYTHON") or of_tests or shutil.which("python3")


def description(cluster):
    """What `up` prints."""
    program = shlex.quote(python())
    submit = " ".join(map(shlex.quote, cluster.submit()))
    data = cluster.folder / "try"
    distil = f"{program} -m distil"
    return f"""\
master   {cluster.master}  {cluster.page}
workers  {" ".join(cluster.workers)}, a core and {cluster.memory} each
history  {cluster.history}
events   {cluster.events}

A job to try, where {program} has distil and pyarrow:

mkdir -p {data} && cd {data} &&
{distil} generate data --files 20 --records 45000 --duplicates 5000 --spread 50% &&
{distil} plan data -o events/ --key ts --order-by 'id as text, data' --digest > plan.json &&
PYSPARK_PYTHON={program} {submit} --conf spark.executor.memory=512m \\
  "$({program} -m distil.spark)" plan.json report.json &&
{distil} verify events/ data.answer.json

Stop it: make cluster-down
"""


def ticks(process):
    """When a process started, in ticks since the machine did: with it, a number names one process for ever. None if it
    does not run.
    """
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return None
    return int(status.rpartition(")")[2].split()[19])


def remember(cluster):
    groups = {process.pid: ticks(process.pid) for process in cluster.processes.values()}
    state = {"folder": str(cluster.folder), "groups": groups}
    STATE.write_text(json.dumps(state))


def known():
    """The folder and those groups of processes of the last `up` that are still there. The number of a group is not
    given away while it has members, so that of a leader that is gone is still its own.
    """
    if not STATE.exists():
        return None, []
    state = json.loads(STATE.read_text())
    groups = {int(group): began for group, began in state["groups"].items()}
    ours = [group for group, began in groups.items() if ticks(group) in (None, began)]
    return state["folder"], [group for group in ours if is_alive(group)]


def up():
    folder, groups = known()
    if groups:
        print(pathlib.Path(folder, "description").read_text(), end="")
        print("The cluster runs already; stop it: make cluster-down")
        return
    STATE.parent.mkdir(exist_ok=True)
    # Remembered before it answers, so that `down` ends what an interrupted `up` began.
    cluster = Cluster(begun=remember)
    try:
        cluster.wait()
    except BaseException:
        STATE.unlink(missing_ok=True)
        raise
    (cluster.folder / "description").write_text(description(cluster))
    print(description(cluster), end="")


def down():
    folder, groups = known()
    stop(*groups)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    STATE.unlink(missing_ok=True)


def around(commands):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cluster = Cluster()
    try:
        cluster.wait()
        for command in commands:
            run(command, os.environ | cluster.variables())
    finally:
        cluster.stop()


def main(arguments):
    if arguments == ["up"]:
        up()
    elif arguments == ["down"]:
        down()
    elif arguments[:1] == ["around"] and len(arguments) > 1:
        around(arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
