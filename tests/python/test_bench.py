"""The benchmarks run, on data too small to measure anything."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import STANDSTILL

BENCH = Path(__file__).parents[2] / "bench"
sys.path.append(str(BENCH))

import scenarios  # noqa: E402


def bench(distil, *arguments, program=BENCH / "run.py"):
    document = distil.directory / "benchmarks.md"
    document.write_text(
        "# Before\n\n<!-- tables -->\n<!-- /tables -->\n\n<!-- peers -->\n<!-- /peers -->\n\n# After\n"
    )
    command = [sys.executable, program, *arguments, "--tiny", "--runs", "1"]
    command += ["--distil", distil.program, "--work", ".bench", "--document", document]
    done = subprocess.run(
        list(map(str, command)),
        cwd=distil.directory,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=STANDSTILL,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return document.read_text()


def test_every_scenario_runs_and_a_peer_has_the_same_rows(distil):
    text = bench(distil, "all", "--peers", "DuckDB")
    sections = re.findall(r"<!-- bench:(\S+) -->\n(.+?)\n<!-- /bench:\1 -->", text, re.DOTALL)
    assert [name for name, _ in sections] == list(scenarios.SCENARIOS)
    for name, section in sections:
        rows = re.findall(r"^\| (\S+) .*\| [\d.]+ \([\d.]+–[\d.]+\) \|", section, re.MULTILINE)
        scenario = scenarios.SCENARIOS[name]
        peer = ["DuckDB"] if "DuckDB" in scenario.peers else []
        assert rows == ["distil"] * len(scenario.variants) + peer, section
    assert text.startswith("# Before") and text.rstrip().endswith("# After")
    assert "LIMIT 1 BY" in text.partition("<!-- peers -->")[2]


def test_other_rows_of_a_peer_are_told_and_not_counted(distil, tmp_path):
    copy = tmp_path / "bench"
    shutil.copytree(BENCH, copy)
    program = (copy / "peers.py").read_text()
    losing = program.replace("COPY ({query", "COPY (FROM ({query").replace(
        "(source=source)}) TO", "(source=source)}) OFFSET 1) TO"
    )
    assert losing != program
    (copy / "peers.py").write_text(losing)
    text = bench(distil, "lines", "--peers", "DuckDB", program=copy / "run.py")
    assert re.search(
        r"^\| DuckDB .*\| other rows than distil: 799 against 800 \|", text, re.MULTILINE
    )
