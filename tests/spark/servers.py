"""Servers on free ports of 127.0.0.1: Apache Spark and Sail, which speak Spark Connect, and stores of
objects.

    servers.py up [NAME ...]      starts them, waits until they answer, prints NAME=URL
    servers.py down               stops those that `up` started
    servers.py around COMMAND ...  starts them, runs shell commands one after another, and stops them;
                                  the last command finds their URLs in DISTIL_SPARK_URL, DISTIL_SAIL_URL,
                                  DISTIL_MOTO_URL and DISTIL_AZURITE_URL
    servers.py serve NAME [--token T] [--conf K=V]
                                  in the foreground: prints the URL, ends when its standard input does

NAME is `spark` or `sail`, which run on this machine and see its files, installed by `make spark-servers`;
or `moto` (S3) or `azurite` (Azure), which keep everything in memory, installed by `make stores`; or
`versitygw` (S3, and it checks signatures), installed by `make test-signed`.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from processes import HERE, PATIENCE, require_java, run, spark_home, stop

STATE = HERE / ".cache" / "spark-servers"
SAIL = HERE / ".venv-sail" / "bin"
PYTHON = os.environ.get("DISTIL_TEST_PYTHON") or str(HERE / ".venv" / "bin" / "python")
AZURITE = HERE / ".cache/azurite/node_modules/azurite/dist/src/blob/main.js"
VERSITYGW = HERE / ".cache" / "versitygw" / "versitygw"

# Spark ends a stream of answers after two minutes. Ended after a second, every longer run shows that
# the rest is asked for. (Sail takes no such setting.)
IMPATIENT = "spark.connect.execute.reattachable.senderMaxStreamDuration=1s"


# Each takes a free port, and writes its URL to its output once it listens there.
STORES = {
    "moto": [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
    # It sends home what it is used for, unless told not to; and refuses what is newer than itself.
    "azurite": [
        *("node", str(AZURITE), "--blobHost", "127.0.0.1", "--blobPort", "0"),
        *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
    ],
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(name, port, folder, token, conf):
    if name in STORES:
        return STORES[name]
    if name == "versitygw":
        (pathlib.Path(folder) / "root").mkdir()
        (pathlib.Path(folder) / "meta").mkdir()
        place = ["posix", "--sidecar", f"{folder}/meta", f"{folder}/root"]
        return [str(VERSITYGW), "--port", f"127.0.0.1:{port}", *place]
    if name == "sail":
        return [str(SAIL / "sail"), "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    confs = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.local.dir": folder,
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.sql.shuffle.partitions": 4,
        # Often, because the queries of tests are short.
        "spark.connect.progress.reportInterval": "50ms",
    }
    if conf:
        key, _, value = conf.partition("=")
        confs[key] = value
    if token:
        confs["spark.connect.authenticate.token"] = token
    line = [str(spark_home() / "bin" / "spark-submit"), "--master", "local[2]"]
    line += ["--driver-memory", "2g"]
    line += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    for key, value in confs.items():
        line += ["--conf", f"{key}={value}"]
    return line


class Server:
    """A started server, and the folder that holds what it writes beside the data."""

    def __init__(self, name, token=None, conf=None):
        if name == "spark":
            require_java()
        self.name = name
        self.port = free_port()
        scheme = "sc" if name in ("spark", "sail") else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.folder = tempfile.mkdtemp(prefix="distil-servers-")
        environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOG_DIR": self.folder}
        environment.pop("SPARK_CONF_DIR", None)
        environment["SPARK_HOME"] = str(spark_home()) if name == "spark" else ""
        # Those of `S3_KEY` in the testkit.
        environment |= {"ROOT_ACCESS_KEY": "tests", "ROOT_SECRET_KEY": "tests-secret"}
        if name in STORES:
            environment["TMPDIR"] = self.folder
        self.log = pathlib.Path(self.folder, "log")
        with self.log.open("wb") as log, startable(name, self.folder):
            self.process = subprocess.Popen(
                command(name, self.port, self.folder, token, conf),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
            )

    def wait(self):
        """Until it accepts connections: all open their port only once they can answer."""
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < until:
            if self.answers():
                return
            time.sleep(0.1)
        said = self.log.read_text(errors="replace")[-3000:]
        self.stop()
        sys.exit(f"{self.name} does not answer:\n{said}")

    def answers(self):
        if self.name in STORES:
            said = re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text(errors="replace"))
            self.url = said and said.group()
            return bool(said)
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        stop(self.process.pid)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def startable(name, folder):
    """Says what is missing, where a program is."""
    try:
        yield
    except FileNotFoundError as missing:
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(f"{name} is not installed: {missing.filename} is missing: make stores")


def up(names):
    STATE.parent.mkdir(exist_ok=True)
    down()
    servers = [Server(name) for name in names]
    known = [{"group": s.process.pid, "folder": s.folder} for s in servers]
    STATE.write_text(json.dumps(known))
    for server in servers:
        server.wait()
        print(f"{server.name}={server.url}", flush=True)


def down():
    if STATE.exists():
        for server in json.loads(STATE.read_text()):
            if pathlib.Path(server["folder"]).exists():  # else the machine may have restarted since
                stop(server["group"])
                shutil.rmtree(server["folder"], ignore_errors=True)
        STATE.unlink()


def around(commands):
    """What the commands before the last do, they do while the servers start. A server that is named
    already is left alone, and one that can't be started here is not named."""
    servers = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for name in ("spark", "sail", *STORES):
            if variable(name) not in os.environ:
                with reported():
                    servers.append(Server(name, conf=IMPATIENT if name == "spark" else None))
        for command in commands[:-1]:
            run(command, os.environ)
        urls = {}
        for server in servers:
            with reported():
                server.wait()
                urls[variable(server.name)] = server.url
        run(commands[-1], os.environ | urls)
    finally:
        for server in servers:
            server.stop()


def variable(name):
    return f"DISTIL_{name.upper()}_URL"


@contextlib.contextmanager
def reported():
    """Says why a server is not there, and goes on: the tests skip what needs it, or fail."""
    try:
        yield
    except SystemExit as failed:
        print(failed, file=sys.stderr, flush=True)


def serve(name, token=None, conf=None):
    server = Server(name, token, conf)
    try:
        server.wait()
        print(server.url, server.process.pid, flush=True)
        sys.stdin.buffer.read()
    finally:
        server.stop()


@contextlib.contextmanager
def serving(name):
    """The URL of the server that runs already, or of one that ends with the caller; none where it can't
    run."""
    running = os.environ.get(f"DISTIL_{name.upper()}_URL")
    if running:
        yield running
        return
    command = [sys.executable, __file__, "serve", name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as keeper:
        said = keeper.stdout.readline().split()
        yield said[0] if said else None
        keeper.stdin.close()


@contextlib.contextmanager
def on_demand():
    """A function that gives the URL of a server by its name; each is started when it is asked for first."""
    urls = {}
    with contextlib.ExitStack() as stack:

        def url(name):
            if name not in urls:
                urls[name] = stack.enter_context(serving(name))
            return urls[name]

        yield url


def main(arguments):
    if arguments[:1] == ["up"]:
        up(arguments[1:] or ["spark", "sail"])
    elif arguments == ["down"]:
        down()
    elif arguments[:1] == ["around"] and len(arguments) > 1:
        around(arguments[1:])
    elif arguments[:1] == ["serve"] and len(arguments) in (2, 4, 6):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        options = dict(zip(arguments[2::2], arguments[3::2]))
        serve(arguments[1], options.get("--token"), options.get("--conf"))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
