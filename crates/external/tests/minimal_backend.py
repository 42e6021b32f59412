"""A second engine for distil, as small as one can be: flat columns of plain types, no pandas.

It exists to test the protocol (docs/backends.md); begin with it when you write a backend."""

import datetime
import json
import os
import re
import sys

import pyarrow as pa
import pyarrow.parquet as pq

TYPES = {
    "int64": pa.int64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "timestamp(ms, UTC)": pa.timestamp("ms", "UTC"),
}
SUPPORTS = """type:int64 type:boolean type:string type:timestamp shape:lines
    shape:array shape:document key:none key:record key:null keep:last compression:zstd""".split()
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def tell(message, **members):
    print(json.dumps({"message": message, **members}), flush=True)


def convert(value, kind):
    if value is None:
        return None
    if kind == "int64":
        return int(value)
    if kind.startswith("timestamp"):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", value):
            raise ValueError(f"this engine can't read the instant {value}")
        instant = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return (instant - EPOCH) // datetime.timedelta(milliseconds=1)
    return value


def records(entry):
    with open(entry["path"], encoding="utf-8-sig", newline="\n") as file:
        if entry["shape"] == "lines":
            return [json.loads(line) for line in file if line.strip(" \t\r\n")]
        content = json.load(file)
    for step in entry["shape"].split("/")[1:]:
        content = content[step]
    return content


def image(row, schema):
    shown = {}
    for name, value in sorted(zip(schema, row)):
        if value is not None and schema[name].startswith("timestamp"):
            at = EPOCH + datetime.timedelta(milliseconds=value)
            value = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value % 1000:03}Z"
        if value is not None:
            shown[name] = value
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def run(order):
    plan, schema = order["plan"], {f["name"]: f["type"] for f in order["schema"]}
    names, rows, counts = list(schema), [], []
    for entry in order["inputs"]:
        found = records(entry)
        counts.append(len(found))
        rows += [tuple(convert(r.get(n), schema[n]) for n in names) for r in found]
        tell("alive")
    dedup = plan.get("dedup")
    whole = dedup is None or dedup["key"] == "record"
    keys = sorted(names) if whole else dedup["key"]["columns"]
    orders = [] if whole else [(o["column"], o["direction"] == "desc") for o in dedup["order_by"]]
    last = not whole and dedup["keep"] == "last"
    orders = [(n, False) for n in keys] + [(n, down != last) for n, down in orders]
    named = [name for name, _ in orders]
    orders += [(n, last) for n in sorted(names) if n not in named]
    for name, down in reversed(orders):  # sorting is stable, so the first column comes last
        at = names.index(name)
        there = sorted((r for r in rows if r[at] is not None), key=lambda r: r[at], reverse=down)
        rows = there + [row for row in rows if row[at] is None]
    places, kept, identical, conflicts = [names.index(name) for name in keys], [], 0, []
    for row in rows:
        if dedup is None or not kept or any(row[at] != kept[-1][at] for at in places):
            kept.append(row)
        elif row == kept[-1]:
            identical += 1
        else:
            conflicts.append((kept[-1], row))
    arrow = pa.schema([(n, TYPES[k]) for n, k in schema.items()], dict(order["footer"]))
    arrays = [pa.array([row[at] for row in kept], TYPES[schema[n]]) for at, n in enumerate(names)]
    with open(order["staging"]["output"], "xb") as file:
        step = plan["sink"]["row_group_rows"]
        table = pa.Table.from_arrays(arrays, schema=arrow)
        pq.write_table(table, file, compression="zstd", row_group_size=step)
        os.fsync(file.fileno())
    first = {kept: (kept, lost) for kept, lost in reversed(conflicts)}  # the first of each key
    shown = [[image(row, schema) for row in pair] for pair in list(first.values())[::-1][:10]]
    tell("done", inputs=counts, written=len(kept), identical=identical,
         conflicting=len(conflicts), conflicts=shown)


sys.stdin.readline()  # distil's hello
tell("hello", protocol=1, version="minimal 1", supports=SUPPORTS)
for line in sys.stdin:
    order = json.loads(line)
    if order["message"] == "run":
        try:
            run(order)
        except (ValueError, KeyError, OSError) as error:
            tell("error", fault="environment", what=str(error))
