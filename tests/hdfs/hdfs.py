"""A real HDFS on loopback, by plain java: a NameNode and a DataNode. The jars come from pom.xml beside this file.

    hdfs.py up FOLDER [--lib LIB] [--nodes 1]
    hdfs.py down FOLDER
    hdfs.py around COMMAND [--lib LIB]     starts it in a folder of its own, runs a shell command with what it prints
                                           in its environment, and stops it

`up` fetches the jars into LIB if they are not there, waits until the data nodes are known, and prints what the
tests need:
DISTIL_HDFS=hdfs://127.0.0.1:PORT
HADOOP_CONF_DIR=...
DISTIL_HDFS_LIB=LIB, for tests that need the tools of an administrator
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "spark"))

from processes import stop

HERE = pathlib.Path(__file__).resolve().parent
NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
# What Hadoop's own launcher passes on Java 17 (3.5.0: hadoop-functions.sh).
OPENS = [
    f"--add-opens=java.base/{p}=ALL-UNNAMED"
    for p in (
        "java.io",
        "java.lang",
        "java.lang.reflect",
        "java.math",
        "java.net",
        "java.text",
        "java.util",
        "java.util.concurrent",
        "java.util.zip",
        "sun.security.util",
        "sun.security.x509",
        "sun.nio.ch",
    )
]


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def site(path, values):
    rows = "".join(
        f"<property><name>{k}</name><value>{v}</value></property>\n" for k, v in values.items()
    )
    path.write_text(f'<?xml version="1.0"?>\n<configuration>\n{rows}</configuration>\n')


def configure(folder, nodes, block_bytes=1 << 20):
    """A configuration folder for the name node and clients, and one for every data node. Blocks are of the smallest size that
    is allowed, so that files of a few MiB have several.
    """
    rpc, web = free_ports(2)
    core = {"fs.defaultFS": f"hdfs://127.0.0.1:{rpc}", "hadoop.tmp.dir": str(folder / "tmp")}
    common = {
        "dfs.namenode.name.dir": f"file://{folder}/namenode",
        "dfs.namenode.http-address": f"127.0.0.1:{web}",
        "dfs.namenode.rpc-bind-host": "127.0.0.1",
        "dfs.replication": nodes,
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
        "dfs.blocksize": block_bytes,
        "dfs.datanode.du.reserved": 0,
    }
    confs = {}
    for name in ["name"] + [f"data{i + 1}" for i in range(nodes)]:
        conf = folder / "conf" / name
        conf.mkdir(parents=True)
        confs[name] = conf
        site(conf / "core-site.xml", core)
        # The servers look for their web pages on the class path; the jars on Maven have none.
        for pages in ("hdfs", "datanode"):
            (conf / "webapps" / pages).mkdir(parents=True)
        (conf / "log4j.properties").write_text(
            "log4j.rootLogger=INFO,c\nlog4j.appender.c=org.apache.log4j.ConsoleAppender\n"
            "log4j.appender.c.target=System.err\nlog4j.appender.c.layout=org.apache.log4j.PatternLayout\n"
            "log4j.appender.c.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n\n"
        )
        own = dict(common)
        if name != "name":
            own["dfs.datanode.data.dir"] = f"file://{folder}/{name}"
            for kind, port in zip(("", "ipc.", "http."), free_ports(3)):
                own[f"dfs.datanode.{kind}address"] = f"127.0.0.1:{port}"
        site(conf / "hdfs-site.xml", own)
    return confs, f"hdfs://127.0.0.1:{rpc}", f"http://127.0.0.1:{web}"


def command(folder, conf, lib, heap, main, *arguments):
    """The command of a server of Hadoop."""
    home = os.environ.get("JAVA_HOME")
    return [
        os.path.join(home, "bin", "java") if home else "java",
        f"-Xmx{heap}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        *OPENS,
        "-Dhadoop.log.dir=" + str(folder / "log"),
        "-cp",
        f"{conf}:{lib}/*",
        main,
        *arguments,
    ]


def start(folder, name, conf, *of_command):
    with (folder / "log" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command(folder, conf, *of_command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            env=os.environ | {"HADOOP_CONF_DIR": str(conf)},
        )


def fetch(lib, pom=HERE / "pom.xml"):
    """The jars of a pom, which is asked once."""
    if lib.is_dir() and any(lib.glob("hadoop-hdfs-*.jar")):
        return
    maven = shutil.which("mvn") or sys.exit("mvn is not there: it fetches the jars of Hadoop")
    # Half a class path must not be taken for one.
    new = lib.with_name(f"{lib.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={new}"]
    subprocess.run([maven, "-q", "-B", "-f", pom, *copy], check=True, stdout=sys.stderr)
    new.rename(lib)


def wait(what, ready, processes, folder, patience=600):
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for name, process in processes.items():
            if process.poll() is not None:
                fail(folder, f"{name} ended with {process.returncode}")
        try:
            if ready():
                return
        except (OSError, LookupError, ValueError, TypeError):
            pass
        time.sleep(0.2)
    fail(folder, f"{what} is not there after {patience} s")


def fail(folder, why):
    logs = (folder / "log").glob("*.log")
    tails = "".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}\n" for log in logs)
    down(folder)
    sys.exit(f"{tails}{why}")


def live(web):
    """The data nodes that a name node knows, which shows its pages there."""
    state = f"{web}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
    with urllib.request.urlopen(state, timeout=5) as answer:
        return json.load(answer)["beans"][0]["NumLiveDataNodes"]


def up(folder, lib, nodes):
    fetch(lib)
    (folder / "log").mkdir(parents=True)
    confs, url, web = configure(folder, nodes)
    processes = {}

    def begin(name, *arguments):
        processes[name] = start(folder, name, *arguments)
        (folder / "groups.json").write_text(json.dumps({n: p.pid for n, p in processes.items()}))

    formatted = start(
        folder, "format", confs["name"], lib, 128, NAMENODE, "-format", "-nonInteractive"
    )
    if formatted.wait() != 0:
        fail(folder, "the name node can't be formatted")
    begin("name", confs["name"], lib, 192, NAMENODE)
    for name in list(confs)[1:]:
        begin(name, confs[name], lib, 128, DATANODE)

    wait("HDFS", lambda: live(web) == nodes, processes, folder)
    return {"DISTIL_HDFS": url, "HADOOP_CONF_DIR": str(confs["name"]), "DISTIL_HDFS_LIB": str(lib)}


def down(folder):
    """Ends the groups of processes that `up` started, and no others."""
    state = folder / "groups.json"
    stop(*(json.loads(state.read_text()).values() if state.exists() else []))
    state.unlink(missing_ok=True)


def around(command, lib, nodes):
    with tempfile.TemporaryDirectory(prefix="distil-hdfs-") as made:
        folder = pathlib.Path(made, "hdfs")
        try:
            named = up(folder, lib, nodes)
            return subprocess.run(command, shell=True, env=os.environ | named).returncode
        finally:
            down(folder)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["up", "down", "around"])
    parser.add_argument("argument", metavar="FOLDER|COMMAND")
    parser.add_argument(
        "--lib", default=HERE / "lib", type=lambda text: pathlib.Path(text).resolve()
    )
    parser.add_argument("--nodes", type=int, default=1)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if asked.what == "around":
        sys.exit(around(asked.argument, asked.lib, asked.nodes))
    folder = pathlib.Path(asked.argument).resolve()
    if asked.what == "down":
        return down(folder)
    for name, value in up(folder, asked.lib, asked.nodes).items():
        print(f"{name}={value}")


if __name__ == "__main__":
    main()
