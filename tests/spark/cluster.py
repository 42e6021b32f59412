"""A standalone cluster of Spark on loopback addresses, which needs Linux: a Master and a History Server on 127.0.0.1, and
Workers on 127.0.0.2 and so on, each with one core and 1 GB, from the Spark of `make spark-servers`, on free ports.

    cluster.py up                  starts it, waits until all of it answers, prints its URLs and a job to try
    cluster.py down                stops what `up` started, and nothing else
    cluster.py around COMMAND ...  starts it, runs shell commands one after another, and stops it; they find it in
                                   DISTIL_SPARK_MASTER, DISTIL_SPARK_HISTORY and DISTIL_SPARK_EVENTS

Workers find a Python that is given without a directory on a PATH that begins with `bin` in a directory of their own, as
machines do. What executors write is in that directory as well, and goes with the cluster.
"""

import json
import shlex
import sys
import urllib.request

from daemons import Daemons, Standing, python
from processes import HERE, PATIENCE


class Cluster(Daemons):
    """A cluster that starts; `wait` says when it is there."""

    title = "Spark cluster"

    def __init__(self, workers=3, memory="1g", **options):
        super().__init__(**options)
        self.events = self.folder / "events"
        self.events.mkdir()
        self.workers = [f"127.0.0.{number + 2}" for number in range(workers)]
        self.memory = memory
        self.master = self.page = None
        try:
            self.begin_spark(
                "master",
                "127.0.0.1",
                "master.Master",
                *("--host", "127.0.0.1", "--port", "0", "--webui-port", "0"),
            )
            self.begin_history(f"file:{self.events}")
        except BaseException:
            self.stop()
            raise

    def wait(self):
        """Until all Workers have registered, and the History Server answers. Stops all of it where that can't be."""
        try:
            self.master = self.told("master", r"Starting Spark master at (spark://\S+)")
            self.page = self.told("master", r"MasterWebUI.* started at (http://\S+)")
            for worker in self.workers:
                size = ["--host", worker, "--cores", "1", "--memory", self.memory]
                where = ["--webui-port", "0", self.master]
                self.begin_spark(worker, worker, "worker.Worker", *size, *where)
            self.until(self.registered, *self.workers)
            self.wait_for_history()
        except BaseException:
            self.stop()
            raise

    def registered(self):
        return self.state()["aliveworkers"] == len(self.workers)

    def state(self):
        """What the Master says of Workers and applications."""
        with urllib.request.urlopen(f"{self.page}/json/", timeout=PATIENCE) as answer:
            return json.load(answer)

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
"""


STANDING = Standing(HERE / ".cache" / "spark-cluster", Cluster, description, "make cluster-down")

if __name__ == "__main__":
    STANDING.main(sys.argv[1:], __doc__)
