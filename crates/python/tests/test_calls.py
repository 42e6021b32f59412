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
from pathlib import Path

import pytest

import distil
from distil._progress import Watching


def left(directory):
    """What a run left there, hidden or not."""
    return sorted(path.name for path in directory.iterdir() if path.name != "config")


# A run that goes on until `finish` is called, as its standard input stays open: nothing here goes by a clock.
OPEN = """
import distil, io, logging, os, signal, sys, threading

reading, writing = os.pipe()
os.dup2(reading, 0)
os.close(reading)
os.write(writing, b'{"id":1}\\n' * 10)

def finish():
    global writing
    if writing is not None:
        os.close(writing)
        writing = None

def run(session):
    return session.run("-", "o.parquet", key="id")
"""


def test_a_callback_gets_progress(python):
    program = """
seen = []

def watch(progress):
    seen.append(progress)
    finish()

assert run(distil.Session(progress=watch)).rows == 1
first = seen[0]
assert isinstance(first, distil.Progress) and first.stage == "decode" and first.total is None, first
print(str(first).split("  ")[0], os.listdir("."))
"""
    assert python(OPEN + program).stdout.strip() == "reading 0 B ['o.parquet']"


ENDED = """
class Ended(Exception):
    pass

def end(*_):
    raise Ended

signal.signal(signal.SIGTERM, end)
session = distil.Session(progress=lambda progress: {what})
try:
    run(session)
except BaseException as error:
    print(type(error).__name__, os.listdir("."))
    os._exit(0)
"""


@pytest.mark.parametrize(
    "what, raised",
    [
        ("end()", "Ended"),
        ("os.kill(os.getpid(), signal.SIGINT)", "KeyboardInterrupt"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "Ended"),
        ("session.cancel()", "Cancelled"),
    ],
)
def test_what_ends_a_run_is_raised_once_nothing_is_left_behind(python, what, raised):
    assert python(OPEN + ENDED.format(what=what)).stdout.strip() == f"{raised} []"


def test_another_thread_runs_on_and_can_cancel(python):
    program = """
begun = threading.Event()
session = distil.Session(progress=lambda progress: begun.set())
told = []

def work():
    try:
        run(session)
    except distil.Cancelled as error:
        told.append((error.code, error.exit_status))

thread = threading.Thread(target=work)
thread.start()
begun.wait()
session.cancel()
thread.join()
# A session goes on after that.
print(told, session.from_records([{"a": 1}]).count(), os.listdir("."))
os._exit(0)
"""
    assert python(OPEN + program).stdout.strip() == "[('interrupted', 130)] 1 []"


def test_no_thread_outlives_a_call(python):
    program = """
import distil, os
before = os.listdir("/proc/self/task")
assert distil.from_records({"a": n} for n in range(1000)).count() == 1000
# A thread that has ended may be listed for a moment.
while os.listdir("/proc/self/task") != before:
    pass
"""
    python(program)


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


def test_a_fork_removes_nothing_of_its_parent(python):
    program = """
import distil, os, sys
session = distil.Session(temp_dir=".")
os.mkdir("elsewhere")
given = session.from_records([{"a": 1}])
kept = given.select("a").cache()
child = os.fork()
if child == 0:
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
os.chdir("elsewhere")
print(kept.head().to_pylist(), given.count())
del kept, given
os.chdir("..")
print(os.listdir("."))
"""
    assert python(program).stdout.splitlines() == ["[{'a': 1}] 1", "['elsewhere']"]


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


def test_progress_is_a_line_on_a_terminal_that_goes(python):
    program = """
class Terminal(io.StringIO):
    def isatty(self):
        return True
    def write(self, text):
        finish()
        return super().write(text)

sys.stderr = Terminal()
run(distil.Session(progress="auto"))
print(repr(sys.stderr.getvalue()))
"""
    shown = eval(python(OPEN + program).stdout)
    assert "reading" in shown and shown.endswith("\r") and "\n" not in shown


class OnlyWritten:
    """What stands for standard error in the interpreters of Zeppelin."""

    def write(self, text):
        pass

    def flush(self):
        pass


@pytest.mark.parametrize("stderr", [io.StringIO(), OnlyWritten(), None])
def test_nobody_watches_where_there_is_no_terminal(monkeypatch, stderr):
    monkeypatch.setattr(sys, "stderr", stderr)
    for show, watches in [("auto", False), (False, False), (True, True), (print, True)]:
        with Watching(show) as watch:
            assert (watch is not None) == watches


@pytest.mark.parametrize("sent, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_hears_signals(tmp_path, sent, status):
    """It reads its standard input, which stays open, so that it can't end before it is asked to."""
    command = [sys.executable, "-m", "distil", "run", "-", "-o", "o.parquet", "-k", "id", "-v"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    # It listens for signals before it says so.
    assert "the plan is admitted" in process.stderr.readline()
    process.send_signal(sent)
    told = process.stderr.read()
    assert process.wait() == status, told
    process.stdin.close()
    assert left(tmp_path) == []


def test_the_command_is_the_same():
    command = [sys.executable, "-m", "distil"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"distil {distil.__version__}\n"
    wrong = subprocess.run([*command, "run"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: ")


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
