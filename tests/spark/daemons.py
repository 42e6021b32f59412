"""Servers of tests that work together, one group of processes each: they begin, are waited for, and are stopped. Such a
set of them runs around commands, or stands until somebody asks for its end.
"""

import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from processes import HERE, PATIENCE, is_alive, require_java, run, spark_home, stop

# Java that computes nothing: small, and quickly there.
SMALL = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


class Daemons:
    """Servers that begin in a folder of their own, with a History Server of Spark among them. `enter` is called with its
    name in each process before it becomes a server, for who wants to put it somewhere. `begun` is called each time that a
    process has begun.
    """

    #: What it is, for people.
    title = "servers"

    def __init__(self, enter=None, begun=None):
        require_java()
        self.home = spark_home()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="distil-cluster-"))
        self.enter, self.begun = enter, begun
        self.history = None
        self.processes = {}

    def begin(self, name, command, environment, cwd=None):
        """Starts a server; what it says is in a file of its name."""
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=cwd or self.folder,
                env=environment,
                start_new_session=True,
                preexec_fn=functools.partial(self.enter, name) if self.enter else None,
            )
        if self.begun:
            self.begun(self)

    def begin_spark(self, name, address, main, *arguments, **variables):
        """Starts a server of Spark by its class."""
        own = self.directory(name)
        (own / "bin").mkdir(parents=True)
        given = {key: text for key, text in os.environ.items() if not key.startswith("SPARK_")}
        environment = given | {
            "SPARK_HOME": str(self.home),
            "SPARK_LOCAL_IP": address,
            "SPARK_LOCAL_DIRS": str(own / "local"),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": SMALL,
            "PATH": f"{own / 'bin'}:{os.environ['PATH']}",
        }
        command = [self.home / "bin" / "spark-class", f"org.apache.spark.deploy.{main}", *arguments]
        self.begin(name, command, environment | variables, own)

    def begin_history(self, events, **variables):
        """Starts the History Server, which reads event logs at a URL."""
        options = {
            "fs.logDirectory": events,
            "ui.port": "0",
            "fs.update.interval": "2s",
        }
        options = " ".join(f"-Dspark.history.{name}={value}" for name, value in options.items())
        variables |= {"SPARK_DAEMON_MEMORY": "512m", "SPARK_HISTORY_OPTS": options}
        self.begin_spark("history", "127.0.0.1", "history.HistoryServer", **variables)

    def wait_for_history(self):
        self.history = self.told("history", r"HistoryServer.* started at (http://\S+)")

    def directory(self, name):
        """What is a server's own."""
        return self.folder / name

    def log(self, name):
        return self.folder / f"{name}.log"

    def told(self, name, pattern):
        def found():
            said = re.search(pattern, self.log(name).read_text(errors="replace"))
            return said and said.group(1)

        return self.until(found, name)

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
        sys.exit(f"{said}\n{name} of the {self.title} {why}; above is what it said last")

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


def ticks(process):
    """When a process started, in ticks since the machine did: with it, a number names one process for ever. None if it
    does not run.
    """
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return None
    return int(status.rpartition(")")[2].split()[19])


class Standing:
    """Daemons that stand until `down`, remembered in a file. `make` makes them; `describe` says what `up` prints."""

    def __init__(self, state, make, describe, stop_command):
        self.state, self.make, self.describe = state, make, describe
        self.stop_command = stop_command

    def remember(self, daemons):
        groups = {process.pid: ticks(process.pid) for process in daemons.processes.values()}
        self.state.write_text(json.dumps({"folder": str(daemons.folder), "groups": groups}))

    def known(self):
        """The folder and those groups of processes of the last `up` that are still there. The number of a group is not
        given away while it has members, so that of a leader that is gone is still its own.
        """
        if not self.state.exists():
            return None, []
        state = json.loads(self.state.read_text())
        groups = {int(group): began for group, began in state["groups"].items()}
        ours = [group for group, began in groups.items() if ticks(group) in (None, began)]
        return state["folder"], [group for group in ours if is_alive(group)]

    def up(self):
        folder, groups = self.known()
        if groups:
            print(pathlib.Path(folder, "description").read_text(), end="")
            print(f"It runs already; stop it: {self.stop_command}")
            return
        self.state.parent.mkdir(exist_ok=True)
        # Remembered before it answers, so that `down` ends what an interrupted `up` began.
        daemons = self.make(begun=self.remember)
        try:
            daemons.wait()
        except BaseException:
            self.state.unlink(missing_ok=True)
            raise
        description = f"{self.describe(daemons)}\nStop it: {self.stop_command}\n"
        (daemons.folder / "description").write_text(description)
        print(description, end="")

    def down(self):
        folder, groups = self.known()
        stop(*groups)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        self.state.unlink(missing_ok=True)

    def around(self, commands):
        """Runs shell commands one after another, with the variables of daemons that stand meanwhile."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        daemons = self.make()
        try:
            daemons.wait()
            for command in commands:
                run(command, os.environ | daemons.variables())
        finally:
            daemons.stop()

    def main(self, arguments, usage):
        """What the arguments `up`, `down` and `around COMMAND ...` ask for."""
        if arguments == ["up"]:
            self.up()
        elif arguments == ["down"]:
            self.down()
        elif arguments[:1] == ["around"] and len(arguments) > 1:
            self.around(arguments[1:])
        else:
            sys.exit(usage)
