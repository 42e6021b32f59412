"""Measures the kernels in the executors of Spark against Spark's own plan, on the same Workers, and writes the table of
docs/benchmarks.md.

Each Worker is in a cgroup of its own with a share of a core, so that one and three of them can be compared on a machine
with two cores. That needs root. Every run has a cluster of its own, and one `spark-submit`. PYTHON, which runs this
program, is also that of the executors: it has distil and pyarrow.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import report
from cgroups import Group
from measure import Failed, machine
from run import commit, printed, remove

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "spark"))

from cluster import Cluster

HERE = Path(__file__).resolve().parent

SQL = (
    "crates/spark/tests/spark/snapshots/"
    "spark__lowering__the_plan_of_the_program_that_distil_grew_out_of.snap"
)
# Of each file.
RECORDS, DUPLICATES = 50_000, 2_500
WAYS = {"native": "distil's kernels", "plan": "Spark's own plan"}
# Of the executors with distil's kernels, as docs/spark.md advises: what runs long there is native code.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
EVERY = 0.2  # seconds between two looks at the counters


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.work = arguments.work.resolve() / "cluster"
        self.files = -(-arguments.documents // (RECORDS + DUPLICATES))
        self.data = self.work / f"data-{self.files}" / "data"
        self.answer = self.data.with_name("data.answer.json")
        self.out = self.work / "out"

    @property
    def documents(self):
        return self.files * (RECORDS + DUPLICATES)

    def command(self):
        """What gives the same table."""
        options = f"--documents {self.documents} --quota {self.arguments.quota:g}"
        return f"make bench-cluster BENCH_CLUSTER='{options}'"

    def generate(self):
        if self.answer.exists():
            return
        remove(self.data)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        size = ["--records", RECORDS, "--duplicates", DUPLICATES, "--spread", "50%"]
        self.distil("generate", self.data, "--files", self.files, *size, "-q")

    def distil(self, *words):
        return printed([*self.arguments.distil, *words])

    def application(self, way):
        """What is submitted, and where its output is."""
        target = self.out / way
        if way == "plan":
            text = (HERE.parent / SQL).read_text()
            query = self.out / "plan.sql"
            query.write_text("SELECT c0" + text.partition("\nSELECT c0")[2].partition("\n--")[0])
            return [HERE / "spark_plan.py", query, self.data, target], target
        plan = self.out / "plan.json"
        job = ["--key", "ts", "--order-by", "id, data", *self.arguments.job]
        plan.write_text(self.distil("plan", self.data, "-o", f"{target}/", *job))
        return [
            printed([sys.executable, "-m", "distil.spark"]).strip(),
            plan,
            self.out / "report.json",
        ], target

    def measure(self, way, workers):
        """One submit on a cluster of its own."""
        remove(self.out)
        self.out.mkdir(parents=True)
        application, target = self.application(way)
        names = [f"127.0.0.{number + 2}" for number in range(workers)]
        with contextlib.ExitStack() as stack:
            groups = {"driver": stack.enter_context(Group("distil-bench-driver"))}
            for name in names:
                group = Group(f"distil-bench-{name}", self.arguments.quota)
                groups[name] = stack.enter_context(group)
            cluster = Cluster(
                workers, "2g", enter=lambda name: name in groups and groups[name].enter()
            )
            stack.callback(cluster.stop)
            cluster.wait()
            confs = {
                "spark.driver.memory": "1g",
                "spark.executor.memory": "1500m",
                "spark.ui.enabled": "false",
                "spark.sql.shuffle.partitions": 2 * workers,
                "spark.eventLog.compress": "false",
                "spark.eventLog.rolling.enabled": "false",
            }
            if way == "native":
                # Tasks spend their time in native code: what else would be compiled or collected beside it does not pay.
                confs["spark.executor.extraJavaOptions"] = (
                    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
                )
            command = [
                *cluster.submit(),
                *(f"--conf={key}={value}" for key, value in confs.items()),
            ]
            run = Submit([*command, *application], groups, cluster, self.out / "log").run()
            result = run | events(cluster.events, run.pop("counts"), names)
        result["digest"] = self.verified(way, target)
        print(json.dumps({"way": way, "workers": workers, **result}), flush=True)
        return result

    def verified(self, way, target):
        """The digest of the output, which has to be that of the known answer."""
        if way == "plan":
            target = survivors(target, self.out / "survivors")
        digest = self.distil("digest", target).split()[0]
        known = json.loads(self.answer.read_text())["keys"]["ts"]["digest"]
        if digest != known:
            raise Failed(f"the digest of the output is {digest}, and that of the answer {known}")
        return digest


class Submit:
    """A spark-submit that runs, and the counters of all groups while it does."""

    def __init__(self, command, groups, cluster, log):
        self.command, self.groups, self.log = list(map(str, command)), groups, log
        self.environment = os.environ | {
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_HOME": str(cluster.home),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        self.counts, self.over = [], threading.Event()

    def run(self):
        self.count()
        counting = threading.Thread(target=self.count_on)
        counting.start()
        began = time.monotonic()
        try:
            with self.log.open("wb") as log:
                child = subprocess.Popen(
                    self.command,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    preexec_fn=self.groups["driver"].enter,
                )
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            whole = time.monotonic() - began
            self.over.set()
            counting.join()
        self.count()
        if child.returncode:
            raise Failed(
                f"status {child.returncode}\n{self.log.read_text(errors='replace')[-3000:]}"
            )
        (_, first), (_, last) = self.counts[0], self.counts[-1]
        cpu = {name: round(last[name] - first[name], 1) for name in self.groups}
        # Of the virtual machine, or of Python behind it: whichever was larger.
        return {
            "whole": whole,
            "cpu": cpu,
            "driver_peak": usage.ru_maxrss * 1024,
            "counts": self.counts,
        }

    def count(self):
        self.counts.append(
            (time.time(), {name: group.seconds() for name, group in self.groups.items()})
        )

    def count_on(self):
        while not self.over.wait(EVERY):
            self.count()


def events(folder, counts, workers):
    """What the event log says: seconds of the job and of its stages, and what the driver collected; and what of the
    processor's time the workers took from the first task to the last.
    """
    stages, began, ended, collected = [], [], [], 0
    (log,) = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    with log.open() as lines:
        for line in lines:
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd":
                began.append(event["Task Info"]["Launch Time"] / 1000)
                ended.append(event["Task Info"]["Finish Time"] / 1000)
                collected += (event.get("Task Metrics") or {}).get("Result Size", 0)
            elif event["Event"] == "SparkListenerStageCompleted":
                stage = event["Stage Info"]
                seconds = (stage["Completion Time"] - stage["Submission Time"]) / 1000
                stages.append((stage["Number of Tasks"], seconds))
    first, last = min(began), max(ended)
    before = [counted for at, counted in counts if at <= first][-1]
    after = next((counted for at, counted in counts if at >= last), counts[-1][1])
    cpu = {name: round(after[name] - before[name], 1) for name in workers}
    return {
        "job": last - first,
        "stages": stages,
        "stage_seconds": sum(seconds for _, seconds in stages),
        "job_cpu": cpu,
        "collected": collected,
    }


def survivors(source, target):
    """The first record of each key as Spark wrote it, with the types of distil: what the counts stand beside."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    target.mkdir()
    schema = pa.schema(
        [("id", pa.string()), ("data", pa.string()), ("ts", pa.timestamp("ms", "UTC"))]
    )
    for number, path in enumerate(sorted(source.glob("*.parquet"))):
        with pq.ParquetWriter(target / f"part-{number:05}.parquet", schema) as writer:
            for batch in pq.ParquetFile(path).iter_batches():
                kept = batch.filter(pc.equal(batch["n"], 1))
                columns = [kept["c0"], kept["c1"], kept["c2"].cast(pa.timestamp("ms", "UTC"))]
                writer.write_batch(pa.record_batch(columns, schema=schema))
    return target


def table(bench, results):
    lines = [
        (
            f"{bench.documents:,} documents of JSON in {bench.files:,} files, each Worker of Spark with one core's"
            f" {bench.arguments.quota:g}: one `spark-submit` each. Executors with distil's kernels have the options"
            f" `{JAVA_OPTIONS}`, those with Spark's own plan have none."
        ),
        "",
        (
            "| | Workers | whole, s | job, s | stages, s | CPU s of the Workers | of these in the job | CPU s of the driver"
            " | its peak, MiB | collected, MiB |"
        ),
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (way, workers), found in results.items():
        nodes = [seconds for name, seconds in found["cpu"].items() if name != "driver"]
        in_job = sum(found["job_cpu"].values())
        lines.append(
            f"| {WAYS[way]} | {workers} | {found['whole']:.1f} | {found['job']:.1f} | {found['stage_seconds']:.1f}"
            f" | {' + '.join(f'{seconds:.1f}' for seconds in nodes)} | {in_job:.1f} | {found['cpu']['driver']:.1f}"
            f" | {found['driver_peak'] / 2**20:,.0f} | {found['collected'] / 2**20:,.2f} |"
        )
    lines += ["", *ratios(results), ""]
    lines += [
        f"Stages, tasks and seconds: {stage_lines(results)}.",
        "",
        (
            f"`{bench.command()}`: one run each; all outputs have the digest of the known answer,"
            f" `{next(iter(results.values()))['digest']}`. The job is from the first task to the last, with what starts in"
            f" between. {machine()}; {printed(['date', '-u', '+%Y-%m-%d']).strip()}, {commit()}."
        ),
    ]
    return "\n".join(lines)


def ratios(results):
    for way in dict.fromkeys(way for way, _ in results):
        counts = [workers for one, workers in results if one == way]
        few, many = results[way, min(counts)], results[way, max(counts)]
        if few is not many:
            told = ", ".join(
                f"{few[field] / many[field]:.2f} times in the {name}"
                for field, name in (
                    ("stage_seconds", "stages"),
                    ("job", "job"),
                    ("whole", "whole submit"),
                )
            )
            yield f"- {WAYS[way]}, from {min(counts)} to {max(counts)} Workers: {told}."
    for workers in dict.fromkeys(workers for _, workers in results):
        if all((way, workers) in results for way in WAYS):
            native, plan = results["native", workers], results["plan", workers]
            cpu = sum(plan["job_cpu"].values()) / sum(native["job_cpu"].values())
            yield (
                f"- Spark's own plan against distil's kernels, Workers: {workers}: {cpu:.1f} times the processor in the"
                f" job, {plan['stage_seconds'] / native['stage_seconds']:.1f} times the seconds of the stages,"
                f" {plan['whole'] / native['whole']:.1f} times those of the whole submit."
            )


def stage_lines(results):
    return "; ".join(
        f"{WAYS[way]} on {workers}: "
        + ", ".join(f"{tasks} × {seconds:.1f}" for tasks, seconds in found["stages"])
        for (way, workers), found in results.items()
    )


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--distil", nargs="+", default=[sys.executable, "-m", "distil"], help="the command"
    )
    parser.add_argument(
        "--documents", type=int, default=52_500_000, help="rounded up to whole files of 52,500"
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--quota", type=float, default=0.5, help="cores of each Worker")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--job", nargs="+", default=[], help="more options of the plan")
    parser.add_argument("--work", type=Path, default=Path(".bench"), help="for data and outputs")
    parser.add_argument(
        "--document", type=Path, help="where the table goes; without it, it is printed"
    )
    return parser.parse_args()


def main():
    bench = Bench(arguments())
    if os.geteuid() != 0:
        sys.exit("a share of a core for each Worker needs cgroups, and these need root")
    bench.generate()
    results = {
        (way, workers): bench.measure(way, workers)
        for way in bench.arguments.ways
        for workers in bench.arguments.workers
    }
    digests = {found["digest"] for found in results.values()}
    if len(digests) != 1:
        sys.exit(f"the outputs differ: {digests}")
    text = table(bench, results)
    print(text)
    if bench.arguments.document:
        document = bench.arguments.document
        document.write_text(report.replaced(document.read_text(), "cluster", text))
    shutil.rmtree(bench.out)


if __name__ == "__main__":
    main()
