"""Groups of processes whose processor time the kernel limits and counts: cgroups, of either version, which need root."""

import contextlib
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# Short, so that a virtual machine with many threads that has used up its share does not wait for long.
PERIOD = 20_000


class Group:
    """A group; a `quota` of cores bounds it. `enter` is for a process before it becomes a program."""

    def __init__(self, name, quota=None):
        self.is_unified = (ROOT / "cgroup.controllers").exists()
        if self.is_unified:
            self.places = [ROOT / name]
        else:
            self.places = [ROOT / kind / name for kind in ("cpu", "cpuacct")]
        self.quota = quota

    def __enter__(self):
        if self.is_unified:
            (ROOT / "cgroup.subtree_control").write_text("+cpu")
        for place in self.places:
            place.mkdir(exist_ok=True)
        share = int(PERIOD * self.quota) if self.quota else None
        if self.is_unified:
            (self.places[0] / "cpu.max").write_text(f"{share or 'max'} {PERIOD}")
        else:
            (self.places[0] / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self.places[0] / "cpu.cfs_quota_us").write_text(str(share or -1))
        return self

    def enter(self):
        for place in self.places:
            (place / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self):
        """Of the processor, by all that ever were in it."""
        if self.is_unified:
            counts = dict(
                line.split() for line in (self.places[0] / "cpu.stat").read_text().splitlines()
            )
            return int(counts["usage_usec"]) / 1e6
        return int((self.places[1] / "cpuacct.usage").read_text()) / 1e9

    def __exit__(self, *_):
        for place in self.places:
            # One with processes in it stays.
            with contextlib.suppress(OSError):
                place.rmdir()
