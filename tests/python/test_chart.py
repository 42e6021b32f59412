"""The chart of the benchmarks is what their tables say, and nothing in them can break it."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "bench"
sys.path.append(str(BENCH))

import chart  # noqa: E402
import report  # noqa: E402
import scenarios  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>\"&amp;'\x01]](x.svg)![" + "W" * 100


def tables():
    return (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")


def section(*figures):
    return report.Section("records", 3, "a machine, 2 cores; 2026-01-01, abc", figures)


def run(directory, *arguments):
    """Draws the chart of a copy of the documents."""
    files = ["benchmarks.md", "benchmarks.svg", "README.md"]
    done = subprocess.run(
        [sys.executable, BENCH / "chart.py", *files, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def copies(tmp_path):
    for name in ["docs/benchmarks.md", "docs/benchmarks.svg", "README.md"]:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_every_table_is_read(name):
    text = tables()
    written = report.between(text, f"bench:{name}")
    if not written:
        pytest.skip("the document has no such table")
    found = report.read(text, name)
    assert found.title == scenarios.SCENARIOS[name].title
    assert written.count("–") == len(found.figures) + 1
    assert found.figures[0].name.startswith("distil ") and found.figures[0].times == 1
    for figure in found.figures:
        assert figure.fastest <= figure.seconds <= figure.slowest
        assert f"| {figure.name}" in written and f"| {figure.seconds:.2f} (" in written


def test_what_is_written_is_read_again():
    run = {"seconds": 2.5, "cpu_seconds": 4.0, "peak_bytes": 2**30}
    slower = {**run, "seconds": 5.0}
    common = {"version": "1.2", "records": 2000, "rows": 1000, "output_bytes": 9, "problem": None}
    own = {"name": "distil", "runs": [run, run], "stages": [], "command": ["distil"]}
    peer = {"name": "Peer", "formulation": "fast", "runs": [run, slower, slower]}
    failed = {"name": "Other", "formulation": "slow", "runs": []}
    result = {
        "scenario": "lines",
        "title": "Some records",
        "machine": "Model 3. of a kind, 2 cores, 4 GiB",
        "date": "2026-01-01",
        "commit": "abc-dirty",
        "same_bytes": False,
        "known_answer": True,
        "rows": [
            {**common, **run, **own},
            {**common, **slower, **peer},
            {**common, **failed, "problem": "status 1: a | b"},
        ],
    }
    text = f"<!-- bench:lines -->\n{report.section_of(result)}\n<!-- /bench:lines -->"
    found = report.read(text, "lines")
    assert (found.title, found.runs) == ("Some records", 2)
    assert found.origin.endswith("of a kind, 2 cores, 4 GiB; 2026-01-01, abc-dirty")
    assert found.figures == (
        report.Figure("distil 1.2", 2.5, 2.5, 2.5, 1.0),
        report.Figure("Peer 1.2", 5.0, 2.5, 5.0, 2.0),
        report.Figure("Other 1.2"),
    )


def test_the_chart_has_the_numbers_of_the_tables():
    found = [report.read(tables(), name) for name in chart.SCENARIOS]
    root = ElementTree.fromstring(chart.drawn(found))
    assert root.get("role") == "img"
    spoken = root.find(f"{SVG}desc").text
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    for each in found:
        assert each.title in texts
        for figure in each.figures:
            assert figure.name in texts
            assert any(text.startswith(f"{figure.seconds:.2f} s") for text in texts)
            assert f"{figure.name} {figure.seconds:.2f} s" in spoken
    bars = [float(e.get("width")) for e in root.iter(f"{SVG}rect") if "bar" in e.get("class")]
    own = [float(e.get("width")) for e in root.iter(f"{SVG}rect") if "own" in e.get("class")]
    halves = [bars[: len(bars) // 2], bars[len(bars) // 2 :]]
    assert [sorted(half) for half in halves] == halves
    assert own == [half[0] for half in halves]


def test_check_passes_until_a_number_changes(copies):
    assert run(copies, "--check") == (0, "")
    document = copies / "benchmarks.md"
    text = document.read_text(encoding="utf-8")
    seconds = report.read(text, "lines").figures[1].seconds
    begin, middle, end = text.partition("<!-- bench:lines -->")
    changed = end.replace(f"| {seconds:.2f} (", f"| {seconds + 0.01:.2f} (", 1)
    document.write_text(begin + middle + changed, encoding="utf-8")
    before = (copies / "benchmarks.svg").read_bytes()
    status, message = run(copies, "--check")
    assert status == 1 and message.startswith("benchmarks.svg is not what the tables give: run")
    assert (copies / "benchmarks.svg").read_bytes() == before
    assert run(copies) == (0, "")
    assert run(copies, "--check") == (0, "")
    # A reader who can't see the chart gets the same numbers.
    readme = copies / "README.md"
    shown = readme.read_text(encoding="utf-8")
    assert f" {seconds + 0.01:.2f} s" in shown
    readme.write_text(shown.replace(f" {seconds + 0.01:.2f} s", " 9 s"), encoding="utf-8")
    status, message = run(copies, "--check")
    assert status == 1 and message.startswith("README.md is not what the tables give")


@pytest.mark.parametrize("lost", ["<!-- bench:lines -->", "medians of", "| distil", " (0.", "|---"])
def test_tables_that_are_no_tables_are_refused(copies, lost):
    document = copies / "benchmarks.md"
    text = document.read_text(encoding="utf-8")
    assert lost in text
    document.write_text(text.replace(lost, ""), encoding="utf-8")
    before = (copies / "benchmarks.svg").read_bytes()
    status, message = run(copies)
    assert status == 1 and message.startswith("benchmarks.md: ") and "Traceback" not in message
    assert (copies / "benchmarks.svg").read_bytes() == before


def test_hostile_names_are_escaped():
    figures = [report.Figure("distil 1", 1.0, 1.0, 1.0, 1.0), report.Figure(HOSTILE)]
    sections = [section(*figures, report.Figure(HOSTILE, 2.0, 1.0, 3.0, 2.0))]
    drawn = chart.drawn(sections)
    root = ElementTree.fromstring(drawn)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "title", "desc", "style", "rect", "line", "text", "tspan")
    }
    assert HOSTILE.replace("\x01", "\N{REPLACEMENT CHARACTER}") in root.find(f"{SVG}desc").text
    assert all(len(text.text) < 100 for text in root.iter(f"{SVG}text"))
    # The picture in Markdown stays one picture, which is found again.
    page = "a\n![old](docs/chart.svg)\nb\n"
    once = chart.shown(page, Path("chart.svg"), sections)
    assert once.startswith("a\n![Bar chart") and once.endswith("](docs/chart.svg)\nb\n")
    assert chart.shown(once, Path("chart.svg"), sections) == once
