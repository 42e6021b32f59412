"""Faults in the tasks of executors. Python imports this module by its name when it starts, where the configuration of
Spark says so: `spark.executorEnv.PYTHONPATH` is the directory of this file, `spark.executorEnv.DISTIL_FAULTS` another one
that all nodes see. The package itself has nothing to do with it.

`fault.json` there says what happens to the first task that comes to it:

    stage   "decode" or "write"
    after   that hands on its last payload but so many (decode); has written so many bytes, or all (write)
    how     "exit"   the process of the task ends without a word
            "raise"  the task fails, the process lives
            "kill"   the executor is killed; this process goes on until it is noticed
            "wait"   it does not end before another attempt of the same task has ended
    each_time   it happens to all later tasks as well

`struck` is there once it has happened, `twin` once that other attempt has ended.
"""

import contextlib
import json
import os
import pathlib
import resource
import signal
import time

FAULTS = pathlib.Path(os.environ.get("DISTIL_FAULTS", "/nonexistent"))
ALL = "all"


class Fault:
    """The fault that tasks of a stage may come to; `unit` is what attempts of one task have in common."""

    def __init__(self, stage, unit):
        try:
            told = json.loads((FAULTS / "fault.json").read_text())
        except FileNotFoundError:
            told = {}
        self.is_here = told.get("stage") == stage
        self.after, self.how, self.each_time = (
            told.get("after"),
            told.get("how"),
            told.get("each_time"),
        )
        self.unit, self.mine = unit, False

    def claim(self):
        """Whether it is for this task to have it: the first to ask has it."""
        if not self.is_here:
            return False
        with contextlib.suppress(FileExistsError):
            (FAULTS / "struck").open("x").write(self.unit)
            self.mine = True
        return self.mine or self.each_time

    def strike(self):
        if self.how == "exit":
            os._exit(7)
        if self.how == "raise":
            raise RuntimeError("a fault of the tests")
        if self.how == "kill":
            os.kill(executor(), signal.SIGKILL)
        while self.how == "wait" and not (FAULTS / "twin").exists():
            time.sleep(0.01)

    def done(self):
        """An attempt has ended; the one that waits for its twin may go on."""
        struck = FAULTS / "struck"
        if self.how != "wait" or self.mine or not struck.exists():
            return
        if struck.read_text() == self.unit:
            (FAULTS / "twin").touch()


def executor():
    """The process of Spark that this one works for."""
    process = os.getpid()
    while (
        b"CoarseGrainedExecutorBackend" not in pathlib.Path(f"/proc/{process}/cmdline").read_bytes()
    ):
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
        process = int(status.rpartition(")")[2].split()[1])
    return process


@contextlib.contextmanager
def files_end_at(size, dies):
    """The system lets no file become larger: it fails the write, or ends the process in the midst of it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if dies else signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def install():
    """Puts faults around what tasks call."""
    from distil import _native

    decode = _native.decode_task

    def decode_task(job, task, host):
        fault = Fault("decode", str(task))
        for number, payload in enumerate(decode(job, task, host)):
            if number == fault.after and fault.claim():
                fault.strike()
            yield payload
        fault.done()

    class Writing:
        """The task that writes, with a fault around the step in which it writes."""

        task = _native.Writing

        def __init__(self, *arguments):
            self.inner, self.groups = self.task(*arguments), set()

        def push(self, kind, part, content):
            self.groups.add(part)
            self.inner.push(kind, part, content)

        def finish(self, host):
            fault = Fault("write", str(sorted(self.groups)))
            if fault.after != ALL and self.groups and fault.claim():
                with files_end_at(fault.after, dies=fault.how == "exit"):
                    return self.inner.finish(host)
            written = self.inner.finish(host)
            if fault.after == ALL and self.groups and fault.claim():
                fault.strike()
            fault.done()
            return written

    _native.decode_task, _native.Writing = decode_task, Writing


if FAULTS.is_dir():
    # In the processes of tasks alone: the one that forks them may have no threads, and so imports nothing.
    os.register_at_fork(after_in_child=install)
