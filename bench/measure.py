"""Running whole processes and measuring them, and the machine they run on."""

import os
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Measured:
    seconds: float
    cpu_seconds: float
    peak_bytes: int


class Failed(Exception):
    pass


def measure(command, log):
    """Runs a command to its end. The peak is that of the process, not of its children.

    The kernel counts what this process holds at the start of another as a part of that one's peak: so
    nothing large may ever be imported here.
    """
    begun = time.perf_counter()
    with open(log, "wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        with open(log, errors="replace") as said:
            last = said.read().strip().splitlines()[-1:]
        raise Failed(f"status {child.returncode}: {' '.join(last)}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def machine():
    """The processor, its cores that may be used, and the memory."""
    with open("/proc/cpuinfo") as lines:
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    with open("/proc/meminfo") as lines:
        kilobytes = int(lines.readline().split()[1])
    cores = len(os.sched_getaffinity(0))
    model = models[0] if models else os.uname().machine
    return f"{model}, {cores} cores, {kilobytes / 2**20:.0f} GiB"
