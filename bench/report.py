"""The tables of docs/benchmarks.md: one section a scenario, each with what it was measured on."""

import inspect

import peers


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
