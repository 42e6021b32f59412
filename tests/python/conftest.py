"""How the tests run distil."""

import json
import os
import subprocess
from pathlib import Path

import pytest

# Seconds after which a program counts as one that hangs: no test that passes comes near it.
STANDSTILL = 3600


def pytest_addoption(parser):
    parser.addoption(
        "--update", action="store_true", help="write vega_expected.json anew, from the oracle"
    )


class Distil:
    """The program, run in a directory of its own."""

    def __init__(self, program, directory):
        self.program = program
        self.directory = directory

    def __call__(self, *arguments, status=0):
        """Runs it; returns what it wrote to standard output."""
        # What it trusts, it trusts in this directory.
        config = {"XDG_CONFIG_HOME": str(self.directory / "config")}
        environment = {**os.environ, **config, "NO_COLOR": "1"}
        done = subprocess.run(
            [self.program, *map(str, arguments)],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STANDSTILL,
            check=False,
        )
        shown = f"distil {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}"
        assert done.returncode == status, shown
        self.messages = done.stderr
        return done.stdout

    def run(self, *arguments, output="out.parquet"):
        """Runs a job; returns the output's path and the report."""
        self("run", *arguments, "-o", output, "--mode", "overwrite", "--report", "report.json")
        report = json.loads((self.directory / "report.json").read_text())
        assert report["status"] == "done"
        return self.directory / output, report

    def write(self, name, text):
        """Puts a file into the directory; returns its name."""
        (self.directory / name).write_text(text, encoding="utf-8")
        return name


@pytest.fixture
def distil(tmp_path):
    program = os.environ.get("DISTIL_BIN")
    if not program or not Path(program).is_file():
        pytest.fail("set DISTIL_BIN to the distil program, or run `make test`")
    return Distil(str(Path(program).resolve()), tmp_path)
