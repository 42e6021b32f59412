"""Values of every type, read back and compared with the oracle."""

import json
import os
import random

import pytest

import oracle
from readers import assert_all_read


def check(distil, lines, key, *arguments, order_by=(), keep="first"):
    """Runs a job over lines and compares rows, schema and accounts; returns output and oracle."""
    distil.write("in.ndjson", "\n".join(lines))
    key_text = key if key == "*" else ",".join(key)
    output, report = distil.run("in.ndjson", "--key", key_text, "--keep", keep, *arguments)
    right = oracle.Answer([oracle.loads(line) for line in lines], key, order_by, keep)
    found = {column["name"]: column["type"] for column in report["schema"]}
    assert found == right.schema_text()
    assert list(found) == list(right.schema)
    assert_all_read(output, right.rows)
    duplicates = {"identical": right.identical, "conflicting": right.conflicting}
    assert report["records"]["duplicates"] == duplicates
    return right


@pytest.mark.parametrize(
    "expected, values",
    [
        ("int64", ["0", "-0", "9223372036854775807", "-9223372036854775808"]),
        ("decimal(38,0)", ["9223372036854775808", "-" + "9" * 38, "7"]),
        ("json", ["1" + "0" * 38, "7"]),
        ("float64", ["0.1", "1e300", "5e-324", "-2.50", "3"]),
        ("decimal(38,3)", ["0.1", "9007199254740993"]),
        ("decimal(38,18)", ["0.1000000000000001", "0.10000000000000001"]),
        ("json", ["1e400", "1", "1.50", "0.0000001", "123456789012345678901234567890"]),
        ("boolean", ["true", "false"]),
        ("timestamp(ms, UTC)", ['"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"']),
        ("timestamp(ms, UTC)", ['"2019-04-23T17:25:43.111Z"', '"1969-12-31T23:59:59.999Z"']),
        ("timestamp(us, UTC)", ['"2019-04-23T17:25:43.111222Z"', '"1900-02-28T00:00:00.000001Z"']),
        ("string", ['"2019-02-29T00:00:00Z"', '"2019-04-23T17:25:43Z"']),
        ("string", ['"\\u00e9\\n\\"\\\\"', '""', '"\\ud83d\\ude00"', '"\\u0000"']),
        ("list<int64>", ["[1, null, 3]", "[]", "[null]"]),
        ("list<string>", ["[]", "[null]"]),
        ("list<list<float64>>", ["[[0.5], [], null]", "[[1]]"]),
        (
            "struct<a: int64, b: struct<c: boolean>>",
            ['{"a": 1}', '{"b": {"c": true}, "a": null}', "{}"],
        ),
        # Not the empty name: DuckDB shows another in its place.
        ('struct<"x.y": int64, "*": string>', ['{"x.y": 1, "*": "e"}']),
        ("list<struct<a: int64, b: json>>", ['[{"a": 1, "b": 1}, null, {}]', '[{"b": "t"}]']),
        ("json", ['"a"', "1", '{"z": 1.0, "a": [null, {"n": null}], "\\u001f": "\\u007f"}', "[]"]),
        ("json", ["{}", "{}"]),
        ("string", ["null"]),
    ],
)
def test_a_column_has_the_type_of_its_values_and_gives_them_back(distil, expected, values):
    lines = [f'{{"n": {at}, "v": {value}}}' for at, value in enumerate([*values, "null"])]
    lines.append(f'{{"n": {len(lines)}}}')
    right = check(distil, lines, ["n"])
    assert right.schema_text()["v"] == expected


def value(dice, kind, depth=0):
    """A random value; few enough different ones that keys and orders have ties."""
    if dice.random() < 0.15:
        return None
    if kind == "int":
        return dice.choice([-1, 0, 1, 2**53 + 1, -(2**63), 2**63 - 1])
    if kind == "huge":
        return dice.choice([0, -1, 2**64, -(10**37), 10**38 - 1])
    if kind == "float":
        return dice.choice([0, 0.5, -1e-7, 1e22, 123456.789, -3])
    if kind == "boolean":
        return dice.random() < 0.5
    if kind == "text":
        return dice.choice(["", "a", "ab", "b", "\u00e9", "\uffff", "\U0001f600"])
    if kind == "instant":
        return f"2020-02-29T23:59:{dice.randrange(60):02}.{dice.randrange(3):03}Z"
    if kind == "list":
        return [value(dice, "int") for _ in range(dice.randrange(3))]
    if kind == "object":
        names = [name for name in "ba" if dice.random() < 0.7]
        inner = {"a": "text", "b": "list" if depth else "object"}
        return {name: value(dice, inner[name], depth + 1) for name in names}
    return value(dice, dice.choice(["int", "float", "text", "list", "object", "boolean"]), depth)


COLUMNS = {
    "i": "int",
    "h": "huge",
    "f": "float",
    "b": "boolean",
    "s": "text",
    "t": "instant",
    "l": "list",
    "o": "object",
    "m": "mixed",
}


# `make test-all` asks for many more.
@pytest.mark.parametrize("seed", range(max(12, int(os.environ.get("DISTIL_CASES", "0")) // 100)))
def test_random_records_survive_as_the_oracle_says(distil, seed):
    dice = random.Random(seed)
    columns = dice.sample(sorted(COLUMNS), dice.randrange(3, len(COLUMNS) + 1))
    lines = []
    for _ in range(150):
        names = [name for name in columns if dice.random() < 0.9]
        lines.append(json.dumps({name: value(dice, COLUMNS[name]) for name in names}))
    scalars = [name for name in columns if name in "ihfbst"]
    keep = dice.choice(["first", "last"])
    if not scalars or seed % 3 == 0:
        check(distil, lines, "*", keep=keep)
        return
    key = dice.sample(scalars, min(len(scalars), 1 + seed % 2))
    order_by = [(name, dice.choice([1, -1])) for name in scalars if name not in key]
    arguments = ["--null-keys", "value"]
    if order_by:
        words = [f"{name} {'asc' if turn == 1 else 'desc'}" for name, turn in order_by]
        arguments += ["--order-by", ", ".join(words)]
    check(distil, lines, key, *arguments, order_by=order_by, keep=keep)
