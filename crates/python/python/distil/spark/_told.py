"""How far the application is, told to the command that submitted it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

#: Seconds between two looks at the tasks of Spark.
_PAUSE = 0.5


class Told:
    """Prints the messages ``begin`` and ``advance`` of docs/backends.md, a line each.

    While tasks read, nobody but Spark knows how many are done: the share of them stands for that of the bytes.
    """

    def __init__(self, spark: Any) -> None:
        self._tracker = spark.sparkContext.statusTracker()
        self._lock = threading.Lock()
        self._stage: str | None = None
        self._total: int | None = None
        self._done = 0
        self._records = 0

    def __call__(
        self, stage: str, done: int, total: int | None, records: int, _seconds: float
    ) -> None:
        with self._lock:
            if stage != self._stage:
                self._stage, self._total, self._done = stage, total, 0
                _tell(message="begin", stage=stage, total=total)
            self._advance(done, records)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Looks at the tasks for as long as the block lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _look(self, over: threading.Event) -> None:
        while not over.wait(_PAUSE):
            if self._stage == "decode" and self._total:
                share = self._share()
                with self._lock:
                    # Another stage may have begun meanwhile.
                    if self._stage == "decode" and self._total:
                        self._advance(int(self._total * share), self._records)

    def _share(self) -> float:
        found = map(self._tracker.getStageInfo, self._tracker.getActiveStageIds())
        stages = [stage for stage in found if stage]
        tasks = sum(stage.numTasks for stage in stages)
        return sum(stage.numCompletedTasks for stage in stages) / tasks if tasks else 0.0

    def _advance(self, done: int, records: int) -> None:
        units, read = max(done - self._done, 0), max(records - self._records, 0)
        if units or read:
            self._done, self._records = self._done + units, self._records + read
            _tell(message="advance", units=units, records=read)


def _tell(**message: object) -> None:
    print(json.dumps(message), flush=True)


def answered() -> None:
    """Says that the answer is there."""
    _tell(message="done")
