"""The log: what the engine says goes to the logger ``distil``."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("distil")
LOGGER.addHandler(logging.NullHandler())


def level() -> int:
    """The least level that anybody wants, for the engine."""
    return min(LOGGER.getEffectiveLevel(), 255)


def emit(lines: list[tuple[int, str, str]]) -> None:
    """Hands lines of the engine to their loggers: level, logger, text."""
    for number, name, text in lines:
        logging.getLogger(name).log(number, "%s", text)


def warn(warnings: list[str]) -> None:
    """Logs the warnings of a run; ``warnings.warn`` would tell each place once only."""
    for warning in warnings:
        LOGGER.warning("%s", warning)
