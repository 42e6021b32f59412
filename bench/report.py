"""The tables of docs/benchmarks.md: one section a scenario, each with what it was measured on."""

import inspect
import re
from dataclasses import dataclass
from typing import Optional

import peers

# What `table_row` and `section_of` write, to be read again.
MEASURED = re.compile(r"\| (.+?) \| ([\d.]+) \(([\d.]+)–([\d.]+)\) \| ([\d.]+) \|.*")
NOT_MEASURED = re.compile(r"\| (.+?) \| .+? \| \| \| \| \| \|")
NOTE = re.compile(r"`make bench .*: medians of (\d+), .*\. ([^;]+; \S+, \S+)\.")


@dataclass(frozen=True)
class Figure:
    """What the table of a scenario says of one contender; the one that failed has no seconds."""

    name: str  # with its version, without its formulation
    seconds: Optional[float] = None
    fastest: Optional[float] = None
    slowest: Optional[float] = None
    times: Optional[float] = None  # in comparison with the first row


@dataclass(frozen=True)
class Section:
    """What is read back of a scenario."""

    title: str
    runs: int
    origin: str  # machine; date, commit
    figures: tuple


def read(text, name):
    """The section of a scenario in the text of the document; `ValueError` says what it lacks."""
    lines = between(text, f"bench:{name}").splitlines()
    if not lines:
        raise ValueError(f"{name}: there is no such section")
    notes = [note for line in lines if (note := NOTE.fullmatch(line))]
    if len(notes) != 1:
        raise ValueError(f"{name}: no line says how and where it was measured")
    table = "\n".join(lines).partition("|---")[2].partition("\n\n")[0].splitlines()
    figures = tuple(figure(name, line) for line in table[1:])
    if not figures:
        raise ValueError(f"{name}: the table has no rows")
    return Section(lines[0].lstrip("# "), int(notes[0][1]), notes[0][2], figures)


def figure(scenario, line):
    """One row of a table, read."""
    found = MEASURED.fullmatch(line) or NOT_MEASURED.fullmatch(line)
    if not found:
        raise ValueError(f"{scenario}: not a row of figures: {line}")
    name, *numbers = found.groups()
    return Figure(name.partition(", `")[0], *map(float, numbers))


def write(document, result, order):
    """Puts the section of a scenario in the place of its last one; sections stand in a given order."""
    text = document.read_text()
    sections = {name: between(text, f"bench:{name}") for name in order}
    sections[result["scenario"]] = section_of(result)
    tables = "\n\n".join(
        f"<!-- bench:{name} -->\n{section}\n<!-- /bench:{name} -->"
        for name, section in sections.items()
        if section
    )
    text = replaced(text, "tables", tables)
    program = f"```python\n{inspect.getsource(peers).strip()}\n```"
    document.write_text(replaced(text, "peers", program))


def between(text, mark):
    return text.partition(f"<!-- {mark} -->")[2].partition(f"<!-- /{mark} -->")[0].strip()


def replaced(text, mark, content):
    before, _, rest = text.partition(f"<!-- {mark} -->")
    _, _, after = rest.partition(f"<!-- /{mark} -->")
    return f"{before}<!-- {mark} -->\n{content}\n<!-- /{mark} -->{after}"


def section_of(result):
    rows = result["rows"]
    first = rows[0]
    lines = [f"### {result['title']}", ""]
    lines += ["| | seconds | times | ns a record | CPU seconds | peak MiB | output MiB |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|"]
    lines += [table_row(row, first) for row in rows]
    lines += [""]
    lines += [
        (
            f"`make bench BENCH={result['scenario']}`: medians of {len(first['runs'])}, after one run to warm"
            f" up (fastest–slowest). {'. '.join(checks(result))}."
            f" {result['machine']}; {result['date']}, {result['commit']}."
        )
    ]
    for row in rows:
        if row.get("command"):
            name = "" if len(rows) == 1 or row["name"] == "distil" else f"{row['name']}: "
            lines += ["", f"{name}`{shell(row['command'])}`"]
            lines += ["", f"Stages, ns of CPU a record: {stages(row)}."]
    return "\n".join(lines)


def checks(result):
    """What was found to hold of the outputs."""
    rows = result["rows"]
    if any("stages" not in row for row in rows):
        yield f"{rows[0]['rows']:,} rows, the same from every tool"
    if result["same_bytes"]:
        yield "All outputs are the same, byte by byte"
    if result["known_answer"]:
        yield "distil's rows are those of the known answer"


def table_row(row, first):
    name = f"{row['name']} {row['version']}"
    if "stages" not in row:
        name += f", `{row['formulation']}`"
    elif row["name"] != "distil":
        name = f"distil {row['version']}, {row['name']}"
    if row["problem"]:
        problem = " ".join(row["problem"].replace("|", "/").split())[:200]
        return f"| {name} | {problem} | | | | | |"
    each = per_record(row)
    seconds = [run["seconds"] for run in row["runs"]]
    return (
        f"| {name} | {row['seconds']:.2f} ({min(seconds):.2f}–{max(seconds):.2f})"
        f" | {each / per_record(first):.2f} | {each:,.0f} | {row['cpu_seconds']:.2f}"
        f" | {row['peak_bytes'] / 2**20:,.0f} | {row['output_bytes'] / 2**20:,.1f} |"
    )


def per_record(row):
    """Nanoseconds by the clock: what ratios are made of, so that sets of other sizes compare too."""
    return row["seconds"] * 1e9 / row["records"]


def stages(row):
    return ", ".join(
        f"{stage['name']} {stage['cpu_seconds'] * 1e9 / row['records']:.0f}"
        for stage in row["stages"]
    )


def shell(command):
    return " ".join(f"'{word}'" if " " in word or "*" in word else word for word in command)
