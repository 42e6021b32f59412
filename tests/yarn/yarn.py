"""A real YARN of three nodes on loopback, by plain java, which needs Linux: a ResourceManager on 127.0.0.1, NodeManagers on
127.0.0.2 and so on, HDFS, and a History Server of Spark, on free ports. The jars come from pom.xml beside this file, once,
98 MB; Spark is that of `make spark-servers`.

    yarn.py up                  starts it, waits until all of it answers, prints its URLs and a job to try
    yarn.py down                stops what `up` started, and nothing else
    yarn.py around COMMAND ...  starts it, runs shell commands one after another, and stops it; they find it in HADOOP_CONF_DIR,
                                SPARK_CONF_DIR, SPARK_HOME, DISTIL_HDFS, DISTIL_YARN (the pages of the ResourceManager) and
                                DISTIL_SPARK_HISTORY

Who finds SPARK_CONF_DIR submits with nothing but `--master yarn`, and in client mode `--conf spark.driver.host=127.0.0.1`.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "spark"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "hdfs"))

import hdfs
from daemons import Daemons, Standing, python
from processes import HERE, PATIENCE

LIB = HERE / ".cache" / "yarn"
SERVER = "org.apache.hadoop.yarn.server"
MANAGER = f"{SERVER}.resourcemanager.ResourceManager"
NODE = f"{SERVER}.nodemanager.NodeManager"


class Yarn(Daemons):
    """A YARN that starts; `wait` says when it is there."""

    title = "YARN"

    def __init__(self, nodes=3, memory=3072, cores=2, **options):
        hdfs.fetch(LIB, pathlib.Path(__file__).with_name("pom.xml"))
        super().__init__(**options)
        (self.folder / "log").mkdir()
        self.nodes = [f"127.0.0.{number + 2}" for number in range(nodes)]
        self.memory, self.cores = memory, cores
        confs, self.hdfs, self.name_pages = hdfs.configure(self.folder, 1, block_bytes=16 << 20)
        self.conf, self.data_conf = confs["name"], confs["data1"]
        self.events = f"{self.hdfs}/spark-events"
        self.pages = self.configure()
        self.spark_conf = self.folder / "spark"
        self.spark_conf.mkdir()
        properties = "".join(f"{name} {value}\n" for name, value in self.properties().items())
        (self.spark_conf / "spark-defaults.conf").write_text(properties)
        try:
            self.format()
            self.begin_hadoop("name", self.conf, 192, hdfs.NAMENODE)
            self.begin_hadoop("data", self.data_conf, 128, hdfs.DATANODE)
            self.begin_hadoop("manager", self.conf, 256, MANAGER)
            for node in self.nodes:
                self.begin_hadoop(node, self.folder / "conf" / node, 160, NODE)
        except BaseException:
            self.stop()
            raise

    def configure(self):
        """Adds YARN to the folder of clients, and makes one for each node. Returns the pages of the ResourceManager."""
        ports = hdfs.free_ports(5)
        names = ("", "scheduler.", "resource-tracker.", "admin.", "webapp.")
        common = {
            "yarn.resourcemanager.hostname": "127.0.0.1",
            **{
                f"yarn.resourcemanager.{name}address": f"127.0.0.1:{port}"
                for name, port in zip(names, ports)
            },
            # The default, 1024 MiB, rounds every container up to a multiple of it.
            "yarn.scheduler.minimum-allocation-mb": 128,
            "yarn.scheduler.maximum-allocation-mb": self.memory,
            "yarn.scheduler.maximum-allocation-vcores": self.cores,
            # Containers start at the next heartbeat.
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 250,
            "yarn.log-aggregation-enable": "true",
            "yarn.nodemanager.remote-app-log-dir": "/logs",
            "yarn.nodemanager.delete.debug-delay-sec": 0,
        }
        capacity = "yarn.scheduler.capacity"
        queues = {
            f"{capacity}.root.queues": "default",
            f"{capacity}.root.default.capacity": 100,
            f"{capacity}.maximum-am-resource-percent": "1.0",
            # Without it cores are not counted: every container shows one, whatever it asked for.
            f"{capacity}.resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
            # One container a heartbeat, so that the executors of a small job spread over the nodes.
            f"{capacity}.per-node-heartbeat.multiple-assignments-enabled": "false",
        }
        hdfs.site(self.conf / "yarn-site.xml", common)
        hdfs.site(self.conf / "capacity-scheduler.xml", queues)
        for node in self.nodes:
            conf = self.folder / "conf" / node
            shutil.copytree(self.conf, conf)
            hdfs.site(conf / "yarn-site.xml", common | self.node(node))
        return f"http://127.0.0.1:{ports[4]}"

    def node(self, address):
        """What a node has of its own."""
        own = "yarn.nodemanager"
        names = ("", "localizer.", "webapp.", "collector-service.")
        return {
            f"{own}.hostname": address,
            **{
                f"{own}.{name}address": f"{address}:{port}"
                for name, port in zip(names, hdfs.free_ports(4))
            },
            f"{own}.local-dirs": self.directory(address) / "local",
            f"{own}.log-dirs": self.directory(address) / "logs",
            f"{own}.resource.memory-mb": self.memory,
            f"{own}.resource.cpu-vcores": self.cores,
            # The virtual memory of a JVM is far over 2.1 times its share; it would be killed.
            f"{own}.vmem-check-enabled": "false",
            # A disk that is 90 % full makes the node unhealthy, and the job waits for ever.
            f"{own}.disk-health-checker.max-disk-utilization-per-disk-percentage": "99.9",
        }

    def properties(self):
        """What spark-defaults.conf has."""
        return {
            # Nodes have Spark where the client has it: nothing is sent.
            "spark.yarn.jars": f"local:{self.home}/jars/*",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": self.events,
            "spark.yarn.historyServer.allowTracking": "true",
            "spark.executor.instances": len(self.nodes),
            "spark.executor.cores": 1,
            "spark.executor.memory": "512m",
            "spark.executor.memoryOverhead": "512m",
            "spark.driver.memory": "512m",
            "spark.driver.memoryOverhead": "512m",
            "spark.yarn.am.memory": "384m",
            "spark.yarn.am.memoryOverhead": "256m",
            # A driver in a container calls itself by the address of its node, and not by the name of this machine.
            "spark.yarn.appMasterEnv.SPARK_LOCAL_IP": "{{NM_HOST}}",
        }

    def format(self):
        command = hdfs.command(self.folder, self.conf, LIB, 128, hdfs.NAMENODE)
        done = subprocess.run(
            [*command, "-format", "-nonInteractive"],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        if done.returncode:
            sys.exit(f"{done.stderr[-3000:]}\nthe name node can't be formatted")

    def begin_hadoop(self, name, conf, heap, main):
        # As its own scripts do, containers get JAVA_HOME; nothing of Spark comes from here.
        java = pathlib.Path(shutil.which("java") or "java").resolve().parents[1]
        given = {key: text for key, text in os.environ.items() if not key.startswith("SPARK_")}
        environment = {"JAVA_HOME": str(java)} | given | {"HADOOP_CONF_DIR": str(conf)}
        self.begin(name, hdfs.command(self.folder, conf, LIB, heap, main), environment)

    def wait(self):
        """Until all nodes run, and the History Server answers. Stops all of it where that can't be."""
        try:
            self.until(quietly(lambda: hdfs.live(self.name_pages) == 1), "name", "data")
            for directory in ("spark-events", "tmp", "logs"):
                self.make_directory(directory)
            self.begin_history(self.events, HADOOP_CONF_DIR=str(self.conf))
            self.until(quietly(self.registered), "manager", *self.nodes)
            self.wait_for_history()
        except BaseException:
            self.stop()
            raise

    def registered(self):
        return self.asked("metrics")["clusterMetrics"]["activeNodes"] == len(self.nodes)

    def asked(self, path):
        """What the ResourceManager answers."""
        address = f"{self.pages}/ws/v1/cluster/{path}"
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return json.load(answer)

    def make_directory(self, name):
        """A directory of HDFS that everyone may write to."""
        user = os.environ.get("HADOOP_USER_NAME") or os.environ.get("USER") or "root"
        address = f"{self.name_pages}/webhdfs/v1/{name}?op=MKDIRS&permission=1777&user.name={user}"
        request = urllib.request.Request(address, method="PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert json.load(answer)["boolean"], name

    def variables(self):
        return {
            "HADOOP_CONF_DIR": str(self.conf),
            "SPARK_CONF_DIR": str(self.spark_conf),
            "SPARK_HOME": str(self.home),
            "DISTIL_HDFS": self.hdfs,
            "DISTIL_YARN": self.pages,
            "DISTIL_SPARK_HISTORY": self.history,
        }


def quietly(ready):
    """The same, but false as long as nobody listens."""

    def asked():
        try:
            return ready()
        except (OSError, LookupError, ValueError):
            return False

    return asked


CONFIGURATION = """\
[backends.yarn]
engine = "spark-submit"
master = "yarn"
deploy_mode = "cluster"
submit = "{submit}"
python = "{python}"
"""


def description(yarn):
    """What `up` prints; the configuration for the job goes to a file."""
    program = python()
    data = yarn.folder / "try"
    data.mkdir()
    submit = yarn.home / "bin" / "spark-submit"
    (data / "distil.toml").write_text(CONFIGURATION.format(submit=submit, python=program))
    exports = " ".join(f"{name}={shlex.quote(text)}" for name, text in yarn.variables().items())
    distil = f"{shlex.quote(program)} -m distil"
    return f"""\
YARN     {yarn.pages}
nodes    {" ".join(yarn.nodes)}, {yarn.cores} cores and {yarn.memory} MiB each
HDFS     {yarn.hdfs}  {yarn.name_pages}
history  {yarn.history}
events   {yarn.events}

A job to try, in cluster mode, where {program} has distil, pyarrow and pandas:

cd {data} && export {exports} &&
{distil} generate in --files 20 --records 45000 --duplicates 5000 --spread 50% &&
fs() {{ java -cp '{yarn.conf}:{LIB}/*' org.apache.hadoop.fs.FsShell "$@"; }} && fs -put in /in &&
{distil} run {yarn.hdfs}/in -o {yarn.hdfs}/out/ --key ts --order-by 'id as text, data' --digest \\
  --config distil.toml --backend yarn &&
{distil} verify {yarn.hdfs}/out/ in.answer.json
"""


STANDING = Standing(HERE / ".cache" / "yarn-cluster", Yarn, description, "make yarn-down")

if __name__ == "__main__":
    STANDING.main(sys.argv[1:], __doc__)
