"""The pandas backend of distil: resolved plans in, reports out (docs/backends.md).

It works in the way of the program that distil grew out of: every file into a DataFrame, sort_values,
drop_duplicates, one Parquet file. Where pandas' own comparison is not the contract's (lists,
structs, mixed columns, exact decimals), the sort column holds bytes that order as the values do.

One file, however long: it is carried inside the program, and handed to Python as one.
"""

import sys

sys.path[:] = [place for place in sys.path if place not in ("", ".")]  # data is not code

import base64
import datetime
import gzip
import json
import os
import queue
import re
import threading
import traceback
from decimal import Decimal, InvalidOperation

PROTOCOL = 1
sys.setrecursionlimit(20_000)  # JSON nests up to 1,024 levels


class Failure(Exception):
    """Something that distil tells its user."""

    def __init__(self, fault, what, help=()):
        super().__init__(what)
        self.fault, self.what, self.help = fault, what, list(help)


# --- the conversation ---------------------------------------------------------------------------

# Whatever a library prints must not end up between the messages.
ANSWERS = os.fdopen(os.dup(1), "wb", buffering=0)
os.dup2(2, 1)
ANSWERS_LOCK = threading.Lock()
ORDERS = queue.Queue()


def tell(message, **members):
    line = json.dumps({"message": message, **members}).encode() + b"\n"
    with ANSWERS_LOCK:
        while line:
            line = line[ANSWERS.write(line) :]


def listen():
    """Orders come in here, so that a cancelled run or the end of distil is noticed at any time."""
    for line in sys.stdin.buffer:
        order = json.loads(line)
        if order["message"] == "cancel":
            break
        ORDERS.put(order)
    os._exit(0)


def show_life():
    while True:
        threading.Event().wait(2)
        tell("alive")


# --- types and paths ----------------------------------------------------------------------------

TOKEN = re.compile(r'\s*("(?:[^"]|"")*"|[^\s:,<>()".]+|[:,<>().])')


def tokens(text):
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        found.append(match[1])
        at = match.end()
    return found[::-1]


def unquoted(token):
    return token[1:-1].replace('""', '"') if token.startswith('"') else token


def parse_path(text):
    return [unquoted(token) for token in tokens(text)[::-1] if token != "."]


def parse_type(text):
    """`list<int64>` becomes `("list", ("int64",))`, `decimal(9,2)` becomes `("decimal", 9, 2)`."""
    return take_type(tokens(text))


def take_type(rest):
    name = rest.pop()
    if name == "list":
        rest.pop()
        element = take_type(rest)
        rest.pop()
        return name, element
    if name == "struct":
        fields = []
        while rest.pop() != ">":  # `<` first, then commas
            member = unquoted(rest.pop())
            rest.pop()
            fields.append((member, take_type(rest)))
        return name, dict(fields)
    if name in ("decimal", "timestamp", "epoch"):
        arguments = []
        while rest.pop() != ")":  # `(` first, then commas
            arguments.append(rest.pop())
        return (name, *map(int, arguments)) if name == "decimal" else (name, arguments[0])
    return (name,)


def arrow_type(kind):
    name = kind[0]
    if name == "list":
        return pa.list_(arrow_type(kind[1]))
    if name == "struct":
        return pa.struct([pa.field(member, arrow_type(inner)) for member, inner in kind[1].items()])
    if name == "decimal":
        return pa.decimal128(*kind[1:])
    if name in ("timestamp", "epoch"):
        return pa.timestamp(stored_unit(kind), tz="UTC")
    simple = {"boolean": "bool", "json": "string", "date": "date32"}
    return pa.type_for_alias(simple.get(name, name))


def stored_unit(kind):
    return "ms" if kind[1] == "s" else kind[1]


# --- values -------------------------------------------------------------------------------------

DIGITS = {"ms": 3, "us": 6, "ns": 9}
EPOCH = datetime.date(1970, 1, 1).toordinal()
INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))\Z",
    re.ASCII,
)
YEAR_1 = -62_135_596_800  # seconds since 1970
YEAR_10000 = 253_402_300_800


def misfit(value, kind):
    shown = canonical(value)
    return Failure(
        "input",
        f"the value {shown[:80]} is not of the type {kind[0]}, although the input was checked",
    )


class Reader:
    """Turns JSON values into what columns hold: numbers of units for instants, unscaled numbers for
    decimals, parsed values for `json`; members that are null are left out."""

    def __init__(self, plan):
        self.extra_members = plan.get("extra_members", "error")
        self.ignored = self.rounded = 0

    def value(self, value, kind):
        if value is None:
            return None
        return getattr(self, "as_" + kind[0].rstrip("0123456789"))(value, kind)

    def record(self, members, kind, in_list=False):
        """The members that are columns, and the others, as nested dicts."""
        columns, extra = {}, {}
        for name, value in members.items():
            if value is None:
                continue
            inner = kind[1].get(name)
            if inner is None:
                if self.extra_members == "error" or (self.extra_members == "keep" and in_list):
                    raise Failure("input", f"the member {name} is not declared")
                self.ignored += self.extra_members == "ignore"
                extra[name] = value
            elif inner[0] == "struct":
                if not isinstance(value, dict):
                    raise misfit(value, inner)
                columns[name], below = self.record(value, inner, in_list)
                if below:
                    extra[name] = below
            else:
                columns[name] = self.value(value, inner)
        return columns, extra

    def as_struct(self, value, kind):
        if not isinstance(value, dict):
            raise misfit(value, kind)
        return self.record(value, kind, in_list=True)[0]

    def as_list(self, value, kind):
        if not isinstance(value, list):
            raise misfit(value, kind)
        return [self.value(element, kind[1]) for element in value]

    def as_boolean(self, value, kind):
        if not isinstance(value, bool):
            raise misfit(value, kind)
        return value

    def as_string(self, value, kind):
        if not isinstance(value, str):
            raise misfit(value, kind)
        return value

    def as_json(self, value, kind):
        return value

    def as_int(self, value, kind):
        limit = 1 << int(kind[0][3:]) - 1
        number = integral(value, kind)
        if not -limit <= number < limit:
            raise misfit(value, kind)
        return number

    def as_decimal(self, value, kind):
        precision, scale = kind[1:]
        sign, digits, exponent = parts(value, kind)
        if not digits:
            return 0
        zeros = exponent + scale
        if zeros < 0 or len(digits) + zeros > precision:
            raise misfit(value, kind)
        return sign * int(digits) * 10**zeros

    def as_float(self, value, kind):
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise misfit(value, kind)
        try:
            nearest = float(value)
        except OverflowError:
            raise misfit(value, kind) from None
        if kind[0] == "float32":
            nearest, shortest = nearest_single(value, nearest)
        else:
            shortest = repr(nearest)
        if nearest - nearest != 0:  # infinite
            raise misfit(value, kind)
        self.rounded += Decimal(shortest) != value
        return nearest + 0.0  # negative zero is zero

    def as_timestamp(self, value, kind):
        match = INSTANT.match(value) if isinstance(value, str) else None
        if not match:
            raise misfit(value, kind)
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        fraction = (match[7] or "").rstrip("0")
        digits = DIGITS[kind[1]]
        offset = 0
        if match[8]:
            offset = (int(match[9]) * 60 + int(match[10])) * (60 if match[8] == "+" else -60)
        try:
            days = datetime.date(year, month, day).toordinal() - EPOCH
        except ValueError:
            raise misfit(value, kind) from None
        valid = hour < 24 and minute < 60 and second < 60 and len(fraction) <= digits
        if not valid or (match[8] and (int(match[9]) > 23 or int(match[10]) > 59)):
            raise misfit(value, kind)
        seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset
        return self.instant(seconds * 10**digits + int(fraction.ljust(digits, "0")), value, kind)

    def as_epoch(self, value, kind):
        factor = 1000 if kind[1] == "s" else 1
        return self.instant(integral(value, kind) * factor, value, kind)

    def instant(self, units, value, kind):
        seconds = units // 10 ** DIGITS[stored_unit(kind)]
        if not YEAR_1 <= seconds < YEAR_10000 or not -(1 << 63) <= units < 1 << 63:
            raise misfit(value, kind)
        return units

    def as_date(self, value, kind):
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            raise misfit(value, kind)
        try:
            return datetime.date(*map(int, value.split("-"))).toordinal() - EPOCH
        except ValueError:
            raise misfit(value, kind) from None

    def as_binary(self, value, kind):
        try:
            content = base64.b64decode(value, validate=True)
        except (ValueError, TypeError):
            raise misfit(value, kind) from None
        if base64.b64encode(content).decode() != value:
            raise misfit(value, kind)
        return content


def parts(value, kind=("number",)):
    """Sign, digits without zeros at either end, and the exponent of the last digit."""
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise misfit(value, kind)
    if isinstance(value, int):
        sign, text, exponent = (-1 if value < 0 else 1), str(abs(value)), 0
    else:
        negative, digits, exponent = value.as_tuple()
        sign, text = (-1 if negative else 1), "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    return sign, stripped, exponent + len(text) - len(stripped)


def integral(value, kind):
    if type(value) is int:
        return value
    sign, digits, exponent = parts(value, kind)
    if not digits:
        return 0
    if exponent < 0 or len(digits) + exponent > 40:
        raise misfit(value, kind)
    return sign * int(digits) * 10**exponent


def unscaled(value, kind):
    """The number that an unscaled one stands for; arithmetic on Decimals would round."""
    return Decimal(f"{value}e-{kind[2]}")


def nearest_single(value, double):
    """The float32 nearest to the exact value, and its shortest text: rounding the double would
    round twice, which differs exactly where the double lies midway between two."""
    with np.errstate(over="ignore"):
        single = np.float32(double)
        if float(single) != double and np.isfinite(single):
            other = np.nextafter(single, np.float32(np.inf if double > single else -np.inf))
            midway = float(single) + float(other) == 2 * double
            if midway and Decimal(double) != value:
                single = max(single, other) if value > Decimal(double) else min(single, other)
    return float(single), str(single)


# --- canonical text (docs/semantics.md 2.4) -----------------------------------------------------


def number_text(value):
    sign, digits, exponent = parts(value)
    if not digits:
        return "0"
    minus, count, point = ("-" if sign < 0 else ""), len(digits), len(digits) + exponent
    if count <= point <= count + 20:
        return minus + digits + "0" * (point - count)
    if 0 < point < count:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    mantissa = digits[0] + ("." + digits[1:] if count > 1 else "")
    return f"{minus}{mantissa}e{point - 1}"


def string_text(value):
    return json.dumps(value, ensure_ascii=False)


def canonical(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        return object_text((name, canonical(v)) for name, v in value.items() if v is not None)
    return number_text(value)


def object_text(members):
    return "{" + ",".join(f"{string_text(n)}:{text}" for n, text in sorted(members)) + "}"


def image(value, kind):
    """A value of a column as canonical JSON text."""
    name = kind[0]
    if value is None or name in ("boolean", "string", "json"):
        return canonical(value)
    if name == "list":
        return "[" + ",".join(image(element, kind[1]) for element in value) + "]"
    if name == "struct":
        return object_text((n, image(v, kind[1][n])) for n, v in value.items())
    if name == "decimal":
        return number_text(unscaled(value, kind))
    if name == "float32":
        return number_text(Decimal(str(np.float32(value))))
    if name == "binary":
        return string_text(base64.b64encode(value).decode())
    if name == "date":
        return string_text(datetime.date.fromordinal(value + EPOCH).isoformat())
    if name in ("timestamp", "epoch"):
        digits = DIGITS[stored_unit(kind)]
        seconds, fraction = divmod(value, 10**digits)
        days, seconds = divmod(seconds, 86_400)
        date = datetime.date.fromordinal(days + EPOCH).isoformat()
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return string_text(f"{date}T{clock}.{fraction:0{digits}}Z")
    return number_text(value)


# --- order (docs/semantics.md 3.3) --------------------------------------------------------------

NULL = b"\xfe"
INVERTED = bytes(255 - byte for byte in range(256))


def order_bytes(value, flip):
    """Bytes that compare as the values do; `flip` turns scalars, kinds and lengths round, while nulls
    stay last and names ascend."""
    out = bytearray()
    append_order(out, value, flip)
    return bytes(out)


def append_order(out, value, flip):
    if value is None:
        out += NULL
        return
    out += b"\x01"
    if isinstance(value, list):
        out += b"\xfa" if flip else b"\x05"
        for element in value:
            append_order(out, element, flip)
        out += b"\xff" if flip else b"\x00"
        return
    if isinstance(value, dict):
        # Of two objects, one lacks the first name that differs: the other one's value comes first.
        out += b"\xf9" if flip else b"\x06"
        for name in sorted(name for name in value if value[name] is not None):
            out += b"\x01" + terminated(name.encode())
            append_order(out, value[name], flip)
        out += NULL
        return
    if isinstance(value, bool):
        scalar = b"\x02" if value else b"\x01"
    elif isinstance(value, str):
        scalar = b"\x04" + terminated(value.encode())
    elif isinstance(value, bytes):
        scalar = b"\x04" + terminated(value)
    else:
        scalar = b"\x03" + number_bytes(value)
    out += scalar.translate(INVERTED) if flip else scalar


def terminated(content):
    return content.replace(b"\0", b"\0\xff") + b"\0\0"


def number_bytes(value):
    sign, digits, exponent = parts(value)
    if not digits:
        return b"\x80"
    size = (len(digits) + exponent + (1 << 62)).to_bytes(8, "big") + digits.encode() + b"\0"
    return b"\x81" + size if sign > 0 else b"\x7f" + size.translate(INVERTED)


def sort_column(values, kind, flip):
    """A column to sort by, and whether to do so ascending: pandas' own where it orders rightly."""
    name = kind[0]
    if name.startswith("int") or name in ("timestamp", "epoch", "date"):
        return pd.array(values, dtype="Int64"), not flip
    if name in ("float32", "float64"):
        return np.array([np.nan if v is None else v for v in values], dtype="float64"), not flip
    if name == "boolean":
        return pd.array(values, dtype="boolean"), not flip
    column = np.empty(len(values), dtype=object)
    if name == "string":
        column[:] = values
        return column, not flip
    column[:] = [None if v is None else order_bytes(v, flip) for v in values]
    return column, True


# --- reading ------------------------------------------------------------------------------------


def number(text):
    return int(text) if len(text) < 400 else Decimal(text)


def fraction(text):
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all bounds, which only zero may have
        if text.lower().partition("e")[0].strip("-0."):
            raise ValueError(f"the number {text[:80]} is out of range") from None
        return Decimal(0)


DECODER = json.JSONDecoder(parse_float=fraction, parse_int=number)
BLANKS = re.compile(r"[ \t\r\n]*")


def content(entry):
    path, compression = entry["path"], entry["compression"]
    if compression == "gzip":
        with gzip.open(path) as file:
            data = file.read()
    elif compression == "zstd":
        with pa.input_stream(path, compression="zstd") as file:
            data = file.read()
    else:
        with open(path, "rb") as file:
            data = file.read()
    return data[3:] if data.startswith(b"\xef\xbb\xbf") else data


def records(entry):
    """The records of a file, which a native scan found to be valid."""
    shape = entry["shape"]
    if shape == "lines":
        for line in content(entry).split(b"\n"):
            text = line.decode().strip(" \t\r")
            if text:
                yield DECODER.decode(text)
        return
    text = content(entry).decode()
    at = BLANKS.match(text).end()
    if shape == "concatenated":
        while at < len(text):
            value, at = DECODER.raw_decode(text, at)
            at = BLANKS.match(text, at).end()
            yield value
        return
    value, _ = DECODER.raw_decode(text, at)
    for step in shape.removeprefix("document:").split("/")[1:] if shape != "array" else ():
        value = value[step.replace("~1", "/").replace("~0", "~")]
    yield from value


def read(order, schema, reader):
    """All records as columns of values, and the records of every input."""
    inputs, keeps = order["inputs"], keeps_extra(order["plan"])
    tell("begin", stage="decode", total=sum(entry["bytes"] or 0 for entry in inputs))
    columns, counts = {name: [] for name in schema}, []
    declared = ("struct", {n: k for n, k in schema.items() if not (keeps and n == "_extra")})
    for entry in inputs:
        count = 0
        try:
            for record in records(entry):
                if not isinstance(record, dict):
                    raise Failure(
                        "input", "a record is not an object, although the input was checked"
                    )
                members, extra = reader.record(record, declared)
                if keeps:
                    members["_extra"] = extra or None
                for name, column in columns.items():
                    column.append(members.get(name))
                count += 1
        except (ValueError, KeyError, TypeError, EOFError) as error:
            raise Failure("input", f"{entry['path']}: {error}") from error
        except OSError as error:
            raise Failure("environment", f"cannot read {entry['path']}: {error}") from error
        counts.append(count)
        tell("advance", units=entry["bytes"] or 0, records=count)
    return columns, counts


def keeps_extra(plan):
    spec = plan["schema"]
    closed = spec.get("declared") is not None or any(
        kind.startswith("struct<") for _, kind in spec.get("hints", ())
    )
    return plan["extra_members"] == "keep" and closed


# --- deduplication ------------------------------------------------------------------------------


def at_path(columns, schema, path):
    """The values and the type of a column, inside structs or not."""
    values, kind = columns[path[0]], schema[path[0]]
    for step in path[1:]:
        values = [None if value is None else value.get(step) for value in values]
        kind = kind[1][step]
    return values, kind


def deduplicate(columns, schema, dedup):
    """Row numbers in order: survivors, identical and conflicting ones, and of each its survivor."""
    flip = dedup is not None and dedup.get("keep") == "last"
    whole = dedup is None or dedup["key"] == "record"
    keys = [] if whole else [parse_path(text) for text in dedup["key"]["columns"]]
    orders = [] if whole else dedup.get("order_by", ())
    by = [(path, False) for path in keys]
    by += [(parse_path(o["column"]), (o.get("direction") == "desc") != flip) for o in orders]
    named = {path[0] for path, _ in by if len(path) == 1}
    rest = sorted(name for name in schema if name not in named)
    by += [([name], flip and not whole) for name in rest]

    frame, ascending = {}, []
    for at, (path, turned) in enumerate(by):
        frame[at], up = sort_column(*at_path(columns, schema, path), turned)
        ascending.append(up)
    frame = pd.DataFrame(frame)
    frame = frame.sort_values(list(frame.columns), ascending=ascending, na_position="last")
    rows = frame.index.to_numpy()
    if dedup is None:
        nothing = rows[:0]
        return rows, nothing, nothing, nothing

    key = list(frame.columns) if whole else list(range(len(keys)))
    kept = frame.drop_duplicates(subset=key, keep="first").index.to_numpy()
    is_kept = np.zeros(len(rows), dtype=bool)
    is_kept[kept] = True
    survives = is_kept[rows]
    survivor = np.flatnonzero(survives)[np.cumsum(survives) - 1]
    same = np.ones(len(rows), dtype=bool)
    for _, column in frame.items():
        codes, _ = pd.factorize(column)  # nulls are one value, too
        same &= codes == codes[survivor]
    dropped = ~survives
    conflicting = dropped & ~same
    return kept, rows[dropped & same], rows[conflicting], rows[survivor[conflicting]]


# --- writing ------------------------------------------------------------------------------------


def writable(value, kind):
    """A value as pyarrow takes it."""
    name = kind[0]
    if value is None:
        return None
    if name == "json":
        return canonical(value)
    if name == "decimal":
        return unscaled(value, kind)
    if name == "list":
        return [writable(element, kind[1]) for element in value]
    if name == "struct":
        return {n: writable(value.get(n), inner) for n, inner in kind[1].items()}
    return value


def project(schema, chosen):
    """The chosen columns with their paths; a column inside a struct keeps the struct around it."""

    def below(fields, above):
        found = []
        for name, kind in fields.items():
            path = [*above, name]
            whole = [i for i, c in enumerate(chosen) if path[: len(c)] == c]
            inside = [i for i, c in enumerate(chosen) if c[: len(path)] == path]
            if whole:
                found.append((whole[0], name, kind))
            elif inside and kind[0] == "struct":
                found.append((inside[0], name, ("struct", below(kind[1], path))))
        return {name: kind for _, name, kind in sorted(found, key=lambda entry: entry[0])}

    return below(schema, [])


class Output:
    """Rows to Parquet files."""

    def __init__(self, order, columns, schema):
        self.sink, self.columns, self.schema = order["plan"]["sink"], columns, schema
        fields = [pa.field(name, arrow_type(kind)) for name, kind in schema.items()]
        self.arrow = pa.schema(fields)
        codec, _, level = self.sink["compression"].partition(":")
        self.options = {"compression": codec, "version": "2.6"}
        if level:
            self.options["compression_level"] = int(level)
        if self.sink.get("bloom"):
            paths = {".".join(parse_path(path)): True for path in self.sink["bloom"]}
            self.options["bloom_filter_options"] = paths

    def write(self, path, rows, footer):
        arrow = self.arrow.with_metadata(dict(footer) | {"distil.rows": str(len(rows))})
        step = self.sink["row_group_rows"]
        with open(path, "xb") as file:
            with pq.ParquetWriter(file, arrow, **self.options) as writer:
                for begin in range(0, len(rows), step):
                    part = rows[begin : begin + step]
                    arrays = [self.array(n, k, part) for n, k in self.schema.items()]
                    table = pa.Table.from_arrays(arrays, schema=arrow)
                    writer.write_table(table, row_group_size=step)
                    tell("advance", units=len(part), records=len(part))
            file.flush()
            os.fsync(file.fileno())

    def array(self, name, kind, rows):
        values = self.columns[name]
        return pa.array([writable(values[row], kind) for row in rows], type=arrow_type(kind))

    def write_parts(self, directory, rows, footer):
        most = self.sink.get("max_file_rows") or max(len(rows), 1)
        for part, begin in enumerate(range(0, max(len(rows), 1), most)):
            path = os.path.join(directory, f"part-{part:05}.parquet")
            self.write(path, rows[begin : begin + most], footer)


def run(order):
    plan, staging = order["plan"], order["staging"]
    schema = {field["name"]: parse_type(field["type"]) for field in order["schema"]}
    reader = Reader(plan)
    columns, counts = read(order, schema, reader)
    kept, identical, conflicting, survivors = deduplicate(columns, schema, plan.get("dedup"))

    chosen = plan.get("columns")
    written = project(schema, [parse_path(path) for path in chosen]) if chosen else schema
    output = Output(order, columns, written)
    tell("begin", stage="encode", total=len(kept) + len(conflicting))
    is_dir = plan["sink"]["layout"] == "dir"
    write = output.write_parts if is_dir else output.write
    write(staging["output"], kept, order["footer"])
    if staging["dropped"]:
        output.write(staging["dropped"], conflicting, order["dropped_footer"])

    def row_text(row):
        values = ((n, columns[n][row], k) for n, k in schema.items())
        return object_text((n, image(v, k)) for n, v, k in values if v is not None)

    first = {}
    for survivor, row in zip(survivors, conflicting):
        first.setdefault(survivor, row)
        if len(first) == 10:
            break
    tell(
        "done",
        inputs=counts,
        written=len(kept),
        identical=len(identical),
        conflicting=len(conflicting),
        ignored_members=reader.ignored,
        rounded=reader.rounded,
        conflicts=[[row_text(kept), row_text(lost)] for kept, lost in first.items()],
    )


SUPPORTS = """
    type:boolean type:int8 type:int16 type:int32 type:int64 type:decimal type:float32 type:float64
    type:timestamp type:epoch type:date type:binary type:string type:json type:list type:struct
    input:gzip shape:lines shape:concatenated shape:array shape:document
    extra:ignore extra:keep key:none key:record key:nested key:null keep:last columns dropped
    layout:dir max_file_rows
""".split()


def main():
    global np, pa, pd, pq
    order = json.loads(sys.stdin.buffer.readline() or '{"message": "cancel"}')
    if order["message"] != "hello":
        return
    try:
        import numpy as np
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        help = [f"'{sys.executable}' -m pip install pandas pyarrow"]
        what = f"the Python {sys.executable} can't be used: {error}"
        tell("error", fault="environment", what=what, help=help)
        return
    supports = list(SUPPORTS)
    supports += [f"compression:{c}" for c in ("zstd", "snappy", "lz4") if pa.Codec.is_available(c)]
    if pa.Codec.is_available("zstd"):
        supports.append("input:zstd")
    if "bloom_filter_options" in pq.ParquetWriter.__init__.__code__.co_varnames:
        supports.append("bloom")
    python = ".".join(map(str, sys.version_info[:3]))
    version = f"pandas {pd.__version__}, pyarrow {pa.__version__}, Python {python}"
    tell("hello", protocol=PROTOCOL, version=version, supports=supports)
    threading.Thread(target=listen, daemon=True).start()
    threading.Thread(target=show_life, daemon=True).start()
    while True:
        try:
            run(ORDERS.get())
        except Failure as failure:
            tell("error", fault=failure.fault, what=failure.what, help=failure.help)
        except MemoryError:
            what = "there is not enough memory: it holds all records at once"
            tell(
                "error",
                fault="environment",
                what=what,
                help=[
                    {"text": "run it on the native engine", "option": "backend", "value": "native"}
                ],
            )
        except OSError as error:
            tell("error", fault="environment", what=str(error))
        except Exception:  # a bug: distil shows the last lines
            traceback.print_exc()
            os._exit(1)  # at once, whatever the other threads wait for


main()
