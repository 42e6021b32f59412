"""Writes `python/distil/_options.py`, the options of distil as types of Python, from their declarations.

`python options.py` writes it, `python options.py --check` fails where it is not what the declarations say. It needs
the package, built.
"""

import json
import sys
from pathlib import Path

from distil import _native

FILE = Path(__file__).parent / "python" / "distil" / "_options.py"

HEAD = '''"""The options of distil as keyword arguments; None is not to give one. Written by `crates/python/options.py` from
their declarations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ._arguments import Columns, Order, PathLike, Size
'''

# What Python takes, by what may be written in a configuration.
TYPES = {
    "a path or a list of paths": "Source",
    "a path": "PathLike",
    'a column, a list of columns, or `"*"`': "Columns",
    "a column or a list of columns": "Columns",
    "`true` or `false`": "bool",
    "a path: `/data/items`, `/*` or `/{id}`": "str",
    "`NAME=/PATH` or a list of them": "str | Sequence[str]",
    "`auto`, `lines`, `concatenated`, `array`, or a `/PATH` as `records` has it": "str",
    'a table of columns: `{ ts = "timestamp(us)" }`': "Mapping[str, str]",
    'a table of columns: `{ price = ["NA", "N/A"] }`, or text: `"price=NA|N/A,qty=-"`': (
        "str | Mapping[str, str | Sequence[str]]"
    ),
    "columns and types, or the path of a `.json` file": "PathLike | Mapping[str, str]",
    "a list of `nan`, `surrogates` and `duplicate-members`": "str | Sequence[str]",
    'a size: `"4GiB"`': "Size",
    "a list of columns, each with `asc` or `desc` behind it or without": "Order",
    'a count, or a share such as `"0.1%"`': "int | str",
    "a whole number": "int",
    "`zstd`, `zstd:1` to `zstd:22`, `snappy`, `lz4` or `none`": "str",
    "text": "str",
}
# Arguments of their own.
NAMED = {"source", "output", "key"}
RESOURCES = {"threads", "memory", "temp_dir"}


def main() -> int:
    """Writes or checks the file; returns the exit status."""
    options = json.loads(_native.options())
    jobs = [option for option in options["jobs"] if option["name"] not in NAMED]
    bad = [option for option in jobs if option["heading"] == "Bad records"]
    reading = [option for option in jobs if option["heading"] == "Reading"]
    rest = [
        option
        for option in jobs
        if option not in reading and option not in bad and option["name"] != "backend"
    ]
    running = [option for option in jobs if option["name"] == "backend"]
    running += [option for option in options["backends"] if option["name"] in RESOURCES]
    text = HEAD
    text += section("ReadOptions", "TypedDict", "What says how records are read.", reading + bad)
    text += section(
        "JobOptions", "ReadOptions", "What a whole job is, beside its source, output and key.", rest
    )
    text += section("RunOptions", "JobOptions", "A whole job, and what its run may use.", running)
    if sys.argv[1:] == ["--check"]:
        if FILE.read_text() == text:
            return 0
        print(
            f"{FILE}: not what the options are declared to be: run crates/python/options.py",
            file=sys.stderr,
        )
        return 1
    FILE.write_text(text)
    return 0


def section(name: str, base: str, meaning: str, options: list[dict]) -> str:
    """A class with a member for each option."""
    lines = ["", "", f"class {name}({base}, total=False):", f'    """{meaning}"""', ""]
    for option in options:
        default = option["default"]
        tail = f" (by default {default})" if default else ""
        lines.append(f"    #: {option['meaning']}{tail}.".replace("--", ""))
        lines.append(f"    {option['name']}: {annotation(option)} | None")
    return "\n".join(lines) + "\n"


def annotation(option: dict) -> str:
    """The type of an option's values."""
    if option["choices"]:
        return f"Literal[{', '.join(json.dumps(choice) for choice in option['choices'])}]"
    return TYPES[option["written"]]


if __name__ == "__main__":
    sys.exit(main())
