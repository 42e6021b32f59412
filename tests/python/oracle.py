"""The semantics of distil, worked out naively: whole files in memory, one rule after the other.

It shares nothing with distil but the text of `docs/semantics.md`, whose sections it names.
"""

import functools
import json
import re
from datetime import datetime, timezone
from decimal import Decimal

INTEGER = re.compile(r"-?[0-9]+")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}(\d{3})?)?Z", re.ASCII)
MISSING = None


class Number:
    """A number of JSON: its text, and its exact value."""

    def __init__(self, text):
        self.text = text
        self.value = Decimal(text)

    @property
    def is_integer(self):
        return INTEGER.fullmatch(self.text) is not None

    @property
    def survives_a_double(self):
        return Decimal(repr(float(self.text))) == self.value


def loads(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def records_of(text):
    """The records of a file in any shape but concatenated."""
    try:
        value = loads(text)
    except json.JSONDecodeError:
        return [loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(value, list):
        return value
    if isinstance(value.get("records"), list):
        return value["records"]
    return [value]


# 2.1 Inference


def infer(values):
    """The type of a column, and whether it is unknown: a name, ("list", type) or
    ("struct", {name: type})."""
    values = [value for value in values if value is not None]
    if not values:
        return "string"
    if all(isinstance(value, bool) for value in values):
        return "boolean"
    if all(isinstance(value, Number) for value in values):
        return infer_numbers(values)
    if all(isinstance(value, str) for value in values):
        return infer_strings(values)
    if all(isinstance(value, list) for value in values):
        return ("list", infer([element for value in values for element in value]))
    if all(isinstance(value, dict) for value in values) and any(values):
        return ("struct", infer_members(values))
    return "json"


def infer_numbers(numbers):
    if all(number.is_integer for number in numbers):
        if all(-(2**63) <= number.value < 2**63 for number in numbers):
            return "int64"
        return "decimal(38,0)" if all(-(10**38) < n.value < 10**38 for n in numbers) else "json"
    if all(number.survives_a_double for number in numbers):
        return "float64"
    whole = max(len(str(int(abs(number.value)))) for number in numbers)
    digits = max(max(0, -number.value.normalize().as_tuple().exponent) for number in numbers)
    scale = -(-digits // 3) * 3
    return f"decimal(38,{scale})" if scale <= 36 and whole + scale <= 38 else "json"


def infer_strings(strings):
    forms = {len(text) for text in strings if INSTANT.fullmatch(text) and real_date(text)}
    if len(forms) == 1 and all(INSTANT.fullmatch(t) and real_date(t) for t in strings):
        return "timestamp(us, UTC)" if forms == {27} else "timestamp(ms, UTC)"
    return "string"


def real_date(text):
    try:
        datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return False
    return text[17:19] < "60"


def infer_members(objects):
    names = list(dict.fromkeys(name for value in objects for name in value))
    return {name: infer([value.get(name) for value in objects]) for name in names}


def type_text(data_type):
    """A type as the report spells it."""
    if isinstance(data_type, str):
        return data_type
    kind, inner = data_type
    if kind == "list":
        return f"list<{type_text(inner)}>"
    members = ", ".join(f"{quoted(name)}: {type_text(inner[name])}" for name in inner)
    return f"struct<{members}>"


def quoted(name):
    if name in ("", "*") or re.search(r'[.,":<>()\s\x00-\x1f]', name):
        return '"' + name.replace('"', '""') + '"'
    return name


# What a reader finds


def stored(value, data_type):
    """A value as a reader of Parquet has it in Python."""
    if value is None:
        return None
    if data_type == "json":
        return canonical(value)
    if data_type == "int64":
        return int(value.value)
    if isinstance(data_type, str) and data_type.startswith("decimal("):
        return value.value
    if data_type == "float64":
        return float(value.text)
    if data_type in ("timestamp(ms, UTC)", "timestamp(us, UTC)"):
        return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(timezone.utc)
    if isinstance(data_type, tuple):
        kind, inner = data_type
        if kind == "list":
            return [stored(element, inner) for element in value]
        return {name: stored(value.get(name), inner[name]) for name in inner}
    return value


def canonical(value):
    """2.4 Canonical JSON text."""
    if isinstance(value, Number):
        return canonical_number(value.value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(element) for element in value) + "]"
    if isinstance(value, dict):
        members = sorted((name.encode(), name) for name in value if value[name] is not None)
        texts = (json.dumps(n, ensure_ascii=False) + ":" + canonical(value[n]) for _, n in members)
        return "{" + ",".join(texts) + "}"
    return json.dumps(value, ensure_ascii=False)


def canonical_number(value):
    if value == 0:
        return "0"
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    k = len(text) + exponent
    text = text.rstrip("0")
    n = len(text)
    if n <= k <= n + 20:
        body = text + "0" * (k - n)
    elif 0 < k < n:
        body = text[:k] + "." + text[k:]
    elif -6 < k <= 0:
        body = "0." + "0" * -k + text
    else:
        body = text[0] + ("." + text[1:] if n > 1 else "") + f"e{k - 1}"
    return "-" * sign + body


# 3. Keys, order, survivors


def compare(a, b, turn=1):
    """3.3 Comparison; `turn` is -1 for a reversed one."""
    if a is None or b is None:
        return (a is None) - (b is None)
    ranks = rank(a), rank(b)
    if ranks[0] != ranks[1]:
        return turn * (1 if ranks[0] > ranks[1] else -1)
    if isinstance(a, list):
        for x, y in zip(a, b):
            if (order := compare(x, y, turn)) != 0:
                return order
        return turn * ((len(a) > len(b)) - (len(a) < len(b)))
    if isinstance(a, dict):
        for name in sorted(a.keys() | b.keys(), key=str.encode):
            if (order := compare(a.get(name), b.get(name), turn)) != 0:
                return order
        return 0
    a, b = scalar(a), scalar(b)
    return turn * ((a > b) - (a < b))


def rank(value):
    kinds = [bool, Number, str, list, dict]
    return next(at for at, kind in enumerate(kinds) if isinstance(value, kind))


def scalar(value):
    if isinstance(value, Number):
        return value.value
    return value.encode() if isinstance(value, str) else value


class Answer:
    """The right output for some records and a plan."""

    def __init__(self, records, key, order_by=(), keep="first"):
        """`key` is "*" or names, `order_by` pairs of a name and 1 or -1."""
        self.schema = infer_members(records)
        names = sorted(self.schema, key=str.encode)
        keys = names if key == "*" else list(key)
        ordered = [name for name, _ in order_by]
        rest = [(name, 1) for name in names if name not in keys and name not in ordered]
        turn = -1 if keep == "last" else 1
        sequence = [(name, 1) for name in keys]
        sequence += [(name, direction * turn) for name, direction in [*order_by, *rest]]

        def compare_records(a, b):
            for name, direction in sequence:
                if (order := compare(a.get(name), b.get(name), direction)) != 0:
                    return order
            return 0

        survivors, self.identical, self.conflicting = [], 0, 0
        for record in sorted(records, key=functools.cmp_to_key(compare_records)):
            if not survivors or any(compare(record.get(n), survivors[-1].get(n)) for n in keys):
                survivors.append(record)
            elif compare_records(record, survivors[-1]) == 0:
                self.identical += 1
            else:
                self.conflicting += 1
        self.rows = [
            {name: stored(record.get(name), self.schema[name]) for name in self.schema}
            for record in survivors
        ]

    def schema_text(self):
        return {name: type_text(data_type) for name, data_type in self.schema.items()}
