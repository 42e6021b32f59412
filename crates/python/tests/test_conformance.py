"""The suite through Python: the same bytes, or the same error, as the engine by itself."""

import json
from pathlib import Path

import distil


def made(path):
    """What a run left there: a file, or the files of a directory one after another."""
    if path.is_dir():
        return b"".join(part.read_bytes() for part in sorted(path.iterdir()))
    return path.read_bytes() if path.exists() else b""


def test_every_case_of_the_suite_comes_out_the_same(suite, monkeypatch):
    session = distil.Session(progress=False)
    problems = []
    for case in suite:
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
    assert len(suite) > 500 and not problems, "\n".join(problems)
