"""Calls beside signals, callbacks, threads and processes; what they log and show."""

import io
import logging
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import distil

# Large enough that a run is still going on when it is stopped.
LARGE = {"files": 4, "records": 300_000}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    directory = tmp_path_factory.mktemp("large") / "data"
    distil.generate(directory, **LARGE)
    return directory


def left(directory):
    """What a run left there, hidden or not."""
    return sorted(
        path.name for path in directory.iterdir() if path.name not in ("config", "distil.toml")
    )


def test_a_callback_gets_progress_and_its_exception_stops_the_run(large, tmp_path):
    seen = []
    session = distil.Session(progress=seen.append)
    session.run(large, "o.parquet", key="ts")
    assert seen and {progress.stage for progress in seen} <= {"decode", "encode", "commit"}
    assert all(isinstance(progress, distil.Progress) and progress.done >= 0 for progress in seen)
    os.remove("o.parquet")

    class Enough(Exception):
        pass

    def enough(progress):
        raise Enough

    with pytest.raises(Enough):
        distil.Session(progress=enough).run(large, "o.parquet", key="ts")
    assert left(tmp_path) == []


INTERRUPTED = """
import distil, os, signal, sys, threading

def interrupt(progress):
    os.kill(os.getpid(), signal.{name})

class Ended(Exception): pass

def end(*_):
    raise Ended

signal.signal(signal.SIGTERM, end)
try:
    distil.Session(progress=interrupt).run({data!r}, "o.parquet", key="ts")
except (KeyboardInterrupt, Ended) as error:
    print(type(error).__name__, os.listdir("."), threading.active_count())
"""


@pytest.mark.parametrize("name, raised", [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Ended")])
def test_signals_end_a_run_with_nothing_left_behind(large, python, name, raised):
    program = INTERRUPTED.format(name=name, data=str(large))
    assert python(program).stdout.strip() == f"{raised} [] 1"


def test_another_thread_runs_on_and_can_cancel(large, tmp_path):
    begun = threading.Event()
    session = distil.Session(progress=lambda progress: begun.set())
    told = []

    def run():
        try:
            session.run(large, "o.parquet", key="ts")
        except distil.Cancelled as error:
            told.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(60)
    session.cancel()
    thread.join()
    assert [error.code for error in told] == ["interrupted"] and left(tmp_path) == []
    # A session goes on after that.
    assert session.from_records([{"a": 1}]).count() == 1


def test_two_threads_share_a_session():
    session = distil.Session(threads=1)
    counts = {}

    def run(number):
        counts[number] = session.from_records({"a": n} for n in range(number * 1000)).count()

    threads = [threading.Thread(target=run, args=[number]) for number in range(1, 5)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert counts == {number: number * 1000 for number in range(1, 5)}


def test_a_process_forks_after_a_run():
    assert distil.from_records([{"a": 1}]).count() == 1
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(count, [1, 2, 3]) == [1, 2, 3]


def count(number):
    return distil.from_records({"a": n} for n in range(number)).count()


def test_the_log_goes_to_loggers_and_warnings_are_records(caplog, write):
    caplog.set_level(logging.DEBUG, "distil")
    write("in.ndjson", '{"id":1,"v":1}\n{"id":1,"v":2}\n')
    report = distil.run("in.ndjson", "o.parquet", key="id", on_conflict="warn")
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert report.warnings and set(report.warnings) <= set(warned)
    names = {record.name for record in caplog.records}
    assert all(name == "distil" or name.startswith("distil.") for name in names) and len(names) > 1


def test_progress_is_a_line_on_a_terminal_that_goes(large, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    distil.Session(progress="auto").read_json(large).count()
    shown = terminal.getvalue()
    assert "reading" in shown and shown.endswith("\r") and "\n" not in shown
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    distil.Session(progress="auto").read_json(large).count()
    assert sys.stderr.getvalue() == ""


def test_the_command_is_the_same_and_hears_signals(large, tmp_path):
    command = [sys.executable, "-m", "distil"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"distil {distil.__version__}\n"
    wrong = subprocess.run([*command, "run"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: ")
    for sent, status in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
        process = subprocess.Popen(
            [*command, "run", large, "-o", "o.parquet", "-k", "ts", "--threads", "1"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        while (
            not [name for name in os.listdir(tmp_path) if "o.parquet" in name]
            and process.poll() is None
        ):
            time.sleep(0.005)
        process.send_signal(sent)
        told = process.communicate()[1]
        assert process.returncode == status, told
        assert left(tmp_path) == []


def test_importing_is_light(python):
    heavy = {"numpy", "pandas", "pyarrow", "polars", "pyspark", "IPython"}
    python(f"import sys, distil; assert not {heavy!r} & set(sys.modules)")
    python(
        "import distil; distil.from_records([{'a': 1}]).head()",
        options=["-W", "error", "-X", "dev"],
    )


OTHERS = [
    name for name in ("python3.12", "python3.13", "python3.14", "python3.14t") if shutil.which(name)
]


@pytest.mark.parametrize("name", OTHERS or ["none"])
def test_other_versions_of_python_take_the_same_package(name, tmp_path):
    """Nothing but the package is there, which needs nothing else."""
    if name == "none":
        pytest.skip("there is no other Python here")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "distil").symlink_to(Path(distil.__file__).parent)
    program = "import distil; print(distil.from_records([{'a': 1}] * 2).drop_duplicates('a').collect().to_pylist())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "path")}
    done = subprocess.run(
        [name, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    if "not found" in done.stderr or "pyenv" in done.stderr:
        pytest.skip(f"{name} is not set up")
    assert done.stdout == "[{'a': 1}]\n", done.stderr


def test_rows_stream_in_little_memory(tmp_path, python):
    distil.generate("data", files=4, records=500_000)
    program = """
        import distil, pyarrow, resource
        frame = distil.Session(memory="64MiB", threads=1).read_json("data").drop_duplicates("ts")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows = sum(batch.num_rows for batch in pyarrow.RecordBatchReader.from_stream(frame))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert rows == 2_000_000, rows
        assert peak - before < 200_000, (before, peak)
    """
    python(program)
