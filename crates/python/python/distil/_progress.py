"""How far a run is, for people and for callbacks."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ._native import format_bytes

Stage: TypeAlias = Literal["decode", "encode", "commit"]
_NAMES = {"decode": "reading", "encode": "writing", "commit": "committing"}
_WIDTH = 24


@dataclass(frozen=True)
class Progress:
    """How far a run is. A callback gets one at most ten times a second."""

    stage: Stage
    #: Units of the stage that are done: bytes while it reads, records while it writes.
    done: int
    #: All units of the stage, where that is known.
    total: int | None
    #: Records that were read.
    records: int
    #: Seconds since the call began.
    seconds: float
    #: Seconds that are left of the stage, where they can be told.
    eta: float | None

    def __str__(self) -> str:
        amount = format_bytes if self.stage == "decode" else "{:,}".format
        text = f"{_NAMES[self.stage]} {amount(self.done)}"
        if self.total:
            share = min(self.done / self.total, 1.0)
            bar = "=" * int(share * _WIDTH)
            text = f"{_NAMES[self.stage]} [{bar:<{_WIDTH}}] {amount(self.done)} of {amount(self.total)}"
        text += f"  {self.records:,} records"
        if self.eta is not None:
            text += f"  {self.eta:.0f} s left" if self.eta >= 1 else "  <1 s left"
        return text


ShowProgress: TypeAlias = bool | Literal["auto"] | Callable[[Progress], object]
Watch: TypeAlias = Callable[[Stage, int, int | None, int, float], None]


class Watching:
    """Shows progress as it is wanted, for as long as one call lasts."""

    def __init__(self, show: ShowProgress) -> None:
        self._begun: dict[str, float] = {}
        self._face: _Terminal | _Notebook | None = None
        self._callback: Callable[[Progress], object] | None = None
        if callable(show):
            self._callback = show
        elif show is True:
            self._face = _Notebook.here() or _Terminal()
        elif show == "auto":
            self._face = _Notebook.here() or _Terminal.here()
        elif show is not False:
            raise TypeError('progress is True, False, "auto" or a callable')

    def __enter__(self) -> Watch | None:
        return self._tell if self._face or self._callback else None

    def __exit__(self, *_: object) -> None:
        if self._face:
            self._face.clear()

    def _tell(
        self, stage: Stage, done: int, total: int | None, records: int, seconds: float
    ) -> None:
        spent = seconds - self._begun.setdefault(stage, seconds)
        eta = (total - done) * spent / done if total and done and total > done else None
        progress = Progress(stage, done, total, records, seconds, eta)
        if self._callback:
            self._callback(progress)
        elif self._face:
            self._face.show(str(progress))


class _Terminal:
    """A line on standard error, which goes when the call ends."""

    @classmethod
    def here(cls) -> _Terminal | None:
        """One if standard error is a terminal. What stands in for it may not know: Zeppelin's can only write."""
        is_terminal = getattr(sys.stderr, "isatty", None)
        return cls() if is_terminal is not None and is_terminal() else None

    def __init__(self) -> None:
        self._shown = 0

    def show(self, text: str) -> None:
        text = text[:79]
        sys.stderr.write(f"\r{text:<{self._shown}}")
        sys.stderr.flush()
        self._shown = len(text)

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write(f"\r{'':<{self._shown}}\r")
            sys.stderr.flush()


class _Notebook:
    """A line of HTML in the output of a cell, which goes when the call ends. It needs no widgets."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None

    @classmethod
    def here(cls) -> _Notebook | None:
        """One if this runs in the kernel of a notebook."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if shell is None or not hasattr(shell, "kernel"):
            return None
        from IPython.display import display

        return cls(display)

    def show(self, text: str) -> None:
        data = {
            "text/html": f'<code style="font-size:90%">{html.escape(text)}</code>',
            "text/plain": text,
        }
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def clear(self) -> None:
        if self._handle is not None:
            self._handle.update({"text/html": "", "text/plain": ""}, raw=True)
