"""Measures distil and its peers, and writes the tables of docs/benchmarks.md.

Each scenario is run in turn: A B C A B C ... The first round warms up, checks that all outputs have
the same rows, and tries every formulation of each peer, of which the fastest is counted.
"""

import argparse
import filecmp
import importlib.metadata
import importlib.util
import json
import shutil
import statistics
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import peers
import report
from data import SETS, Store
from measure import Failed, machine, measure
from scenarios import SCENARIOS

HERE = Path(__file__).parent


class Contender:
    """One row of a table: distil, or a tool with those of its formulations that do the work."""

    def __init__(self, name, version, data, output, commands, report=None):
        self.name, self.version, self.data, self.output = name, version, data, output
        self.commands, self.report = commands, report
        self.chosen, self.measured, self.problem = next(iter(commands)), [], None
        self.rows = self.checked = self.output_bytes = None

    def run(self, log):
        remove(self.output)
        return measure(self.commands[self.chosen], log)


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.work = arguments.work.resolve()
        self.distil = str(Path(arguments.distil).resolve())
        self.store = Store(self.work / "data", self.distil, arguments.tiny)
        self.out = self.work / "out"
        self.out.mkdir(parents=True, exist_ok=True)
        self.commit = commit()
        self.version = printed([self.distil, "--version"]).split()[-1]

    def variant(self, variant, number):
        data = SETS[variant.data]
        output = self.out / f"distil-{number}.parquet"
        report = self.out / f"distil-{number}.report.json"
        command = [self.distil, "run", str(self.store.directory(data)), "-o", str(output)]
        command += ["--key", data.key, "--order-by", ", ".join(data.order), *variant.flags]
        command += ["--mode", "overwrite", "--report", str(report), "-q"]
        name = variant.name
        return Contender(name, self.version, data, output, {name: command}, report)

    def peer(self, tool, data):
        """The tool with its formulations, or why it can't take part."""
        found = {
            name: entry
            for name, entry in peers.FORMULATIONS.items()
            if entry.tool == tool and data.shape in entry.shapes and (data.plain or not entry.plain)
        }
        package = next(iter(found.values())).package
        if importlib.util.find_spec(package) is None:
            return None
        output = self.out / f"{package}.parquet"
        job = peers.Job(
            self.store.pattern(data),
            str(output),
            data.key,
            list(data.order),
            data.shape,
            data.plain,
        )
        text = json.dumps(asdict(job))
        commands = {n: [sys.executable, str(HERE / "peers.py"), n, text] for n in found}
        distribution = importlib.metadata.packages_distributions()[package][0]
        return Contender(tool, importlib.metadata.version(distribution), data, output, commands)

    def scenario(self, name):
        scenario = SCENARIOS[name]
        print(f"\n{name}: {scenario.title}", flush=True)
        contenders = [self.variant(v, n) for n, v in enumerate(scenario.variants)]
        for contender in contenders:
            self.store.get(contender.data)
        for tool in scenario.peers:
            if not self.arguments.peers or tool in self.arguments.peers:
                peer = self.peer(tool, contenders[0].data)
                contenders += [peer] if peer else []
        for contender in contenders:
            self.warm_up(contender, contenders[0])
        if scenario.same_bytes:
            for other in contenders[1 : len(scenario.variants)]:
                if not filecmp.cmp(contenders[0].output, other.output, shallow=False):
                    sys.exit(f"{other.name}: other bytes than {contenders[0].name}")
        for turn in range(self.arguments.runs):
            for contender in contenders:
                if contender.problem is None:
                    self.count(contender, f"run {turn + 1}")
        return self.result(name, scenario, contenders)

    def warm_up(self, contender, first):
        """Runs every formulation, and keeps to the fastest with the right rows."""
        times = {}
        for formulation in contender.commands:
            contender.chosen = formulation
            try:
                measured = contender.run(self.out / "log")
                self.check(contender, first)
            except Failed as failed:
                self.fail(contender, failed)
                continue
            times[formulation] = measured.seconds
            self.show(contender, "warm-up", measured)
        if times:
            contender.chosen, contender.problem = min(times, key=times.get), None

    def count(self, contender, which):
        try:
            contender.measured.append(contender.run(self.out / "log"))
            contender.output_bytes = size_of(contender.output)
            self.show(contender, which, contender.measured[-1])
        except Failed as failed:
            self.fail(contender, failed)

    def fail(self, contender, failed):
        """A peer that fails says so in its row; distil must not."""
        print(f"  {contender.chosen}: {failed}", flush=True)
        if contender.report:
            sys.exit("distil itself failed: there is nothing to compare")
        contender.problem = str(failed)

    def check(self, contender, first):
        data = contender.data
        rows = json.loads(
            printed([sys.executable, HERE / "check.py", contender.output, data.key, *data.compared])
        )
        contender.rows = rows["count"]
        if rows["unsorted"]:
            raise Failed(f"{rows['unsorted']} rows not above the one before")
        if contender.report:
            answer = self.store.answer(data)
            reference = [answer] if answer else []
            printed([self.distil, "verify", contender.output, *reference])
            contender.checked = rows
        elif rows != first.checked:
            raise Failed(
                f"other rows than distil: {rows['count']} against {first.checked['count']}"
            )

    def show(self, contender, which, measured):
        print(
            f"  {which:8} {contender.chosen:30} {measured.seconds:8.2f} s"
            f"  {measured.cpu_seconds:8.2f} s CPU  {measured.peak_bytes / 2**20:7.0f} MiB",
            flush=True,
        )

    def result(self, name, scenario, contenders):
        rows = []
        for contender in contenders:
            row = {
                "name": contender.name,
                "version": contender.version,
                "formulation": contender.chosen,
                "records": contender.data.total(self.arguments.tiny),
                "rows": contender.rows,
                "output_bytes": contender.output_bytes,
                "problem": contender.problem,
                "runs": [asdict(measured) for measured in contender.measured],
            }
            if contender.measured:
                for field in ("seconds", "cpu_seconds", "peak_bytes"):
                    row[field] = statistics.median(run[field] for run in row["runs"])
            if contender.report:
                row["stages"] = json.loads(contender.report.read_text())["stages"]
                # Relative to the work directory: what somebody else would type.
                row["command"] = [
                    word.replace(f"{self.work}/", "").replace(self.distil, "distil")
                    for word in contender.commands[contender.chosen]
                ]
            rows.append(row)
        return {
            "scenario": name,
            "title": scenario.title,
            "date": printed(["date", "-u", "+%Y-%m-%d"]).strip(),
            "commit": self.commit,
            "machine": machine(),
            "same_bytes": scenario.same_bytes,
            "known_answer": contenders[0].data.plain,
            "rows": rows,
        }


def commit():
    """What was measured, asked before any table changes; nothing is known outside of a clone."""
    try:
        commit = printed(["git", "describe", "--always"]).strip()
        # The tables themselves change with every scenario, and their chart with every `make bench`.
        files = ["--", ":/", ":(top,exclude)*.md", ":(top,exclude)docs/*.svg"]
        changed = printed(["git", "status", "--porcelain", "--untracked-files=no", *files])
        return commit + ("-dirty" if changed.strip() else "")
    except Failed:
        return "unknown"


def printed(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def size_of(path):
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    default = [name for name, scenario in SCENARIOS.items() if scenario.by_default]
    parser.add_argument(
        "scenarios",
        nargs="*",
        default=default,
        metavar="SCENARIO",
        help=f"of: all {' '.join(SCENARIOS)}; default: {' '.join(default)}",
    )
    parser.add_argument("--distil", required=True, help="the program")
    parser.add_argument("--work", type=Path, default=Path(".bench"), help="for data and outputs")
    parser.add_argument("--document", type=Path, required=True, help="where the tables go")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each")
    parser.add_argument("--peers", nargs="*", help="only these")
    parser.add_argument("--tiny", action="store_true", help="a few records, to test this program")
    arguments = parser.parse_args()
    names = list(SCENARIOS) if arguments.scenarios == ["all"] else arguments.scenarios
    if unknown := [name for name in names if name not in SCENARIOS]:
        parser.error(f"no scenario {', '.join(unknown)}; there are: {' '.join(SCENARIOS)}")
    bench = Bench(arguments)
    for place, name in enumerate(names):
        result = bench.scenario(name)
        report.write(arguments.document, result, SCENARIOS)
        remaining = {v.data for later in names[place + 1 :] for v in SCENARIOS[later].variants}
        for data in SETS.values():
            # Large ones make room for others as soon as nobody waits for them.
            origins = {SETS[other].made_of for other in remaining}
            if data.total(arguments.tiny) > 10_000_000 and data.name not in remaining | origins:
                bench.store.remove(data)
    for output in bench.out.iterdir():
        remove(output)


if __name__ == "__main__":
    main()
