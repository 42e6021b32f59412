"""The suite through Python: the same bytes, or the same error, as the engine by itself."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import distil


def made(path):
    """What a run left there: a file, or the files of a directory one after another."""
    if path.is_dir():
        return b"".join(part.read_bytes() for part in sorted(path.iterdir()))
    return path.read_bytes() if path.exists() else b""


def test_every_case_of_the_suite_comes_out_the_same(tmp_path, monkeypatch):
    program = os.environ.get("DISTIL_CASES_PROGRAM")
    if not program:
        pytest.skip(
            "set DISTIL_CASES_PROGRAM to the example `cases` of the testkit, or run `make test`"
        )
    subprocess.run([program, tmp_path / "suite"], check=True)
    session = distil.Session(progress=False)
    cases = sorted((tmp_path / "suite").iterdir())
    problems = []
    for case in cases:
        monkeypatch.chdir(case)
        plan = json.loads(Path("plan.json").read_text())
        output = Path(plan["sink"]["path"])
        try:
            report = session.run(plan=plan)
        except distil.DistilError as error:
            expected = json.loads(Path("expected.json").read_text())
            if (error.code, error.what) != (expected["code"], expected["what"]):
                problems.append(f"{case.name}: {error.code} {error}, expected {expected}")
            continue
        if made(output) != made(Path("expected.parquet")):
            problems.append(f"{case.name}: other bytes")
        elif report.status == "done" and report.output.digest != distil.digest(output):
            problems.append(f"{case.name}: another digest")
    assert len(cases) > 500 and not problems, "\n".join(problems)
