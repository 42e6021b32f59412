"""The data sets, made when they are needed and kept under `.bench/data`.

Run as `data.py NAME ROOT DISTIL [--tiny]`, makes one.
"""

import json
import random
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

TINY = {"files": 4, "records": 200, "duplicates": 20}  # for the test of the benchmarks themselves


@dataclass(frozen=True)
class Data:
    """A data set: what it is, and how its rows are compared."""

    name: str
    files: int
    records: int = 50_000  # in each file
    duplicates: int = 2_500  # in each file
    shape: str = "documents"
    suffix: str = ".json"
    key: str = "ts"
    order: tuple = ("id", "data")
    # What rows are compared by: the same SQL expressions over every tool's output.
    compared: tuple = ("id", "data", "epoch_ms(ts::TIMESTAMPTZ)")
    made_by: str = "generate"
    made_of: str = ""  # another data set

    @property
    def plain(self):
        """Whether the columns are id, data and ts, and the answer of `generate` tells the right rows."""
        return self.made_by != "write"

    def total(self, tiny):
        if tiny:
            return TINY["files"] * (TINY["records"] + TINY["duplicates"])
        return self.files * (self.records + self.duplicates)


def wide_record(chance, number):
    record = {"id": number, "version": chance.randrange(1 << 40)}
    for place in range(33):
        record[f"count_{place}"] = chance.randrange(10 ** (1 + place % 9))
    for place in range(25):
        record[f"ratio_{place}"] = chance.randrange(1 << 20) / 1024
    for place in range(20):
        record[f"name_{place}"] = f"name of {chance.randrange(10 ** (1 + place % 4))}"
    for place in range(10):
        record[f"flag_{place}"] = chance.random() < 0.5
    for place in range(10):
        record[f"rare_{place}"] = f"{chance.getrandbits(32):08x}" if chance.random() < 0.1 else None
    return record


WIDE = (
    ["id::BIGINT", "version::BIGINT"]
    + [f"count_{place}::BIGINT" for place in range(33)]
    + [f"ratio_{place}::DOUBLE" for place in range(25)]
    + [f"name_{place}::VARCHAR" for place in range(20)]
    + [f"flag_{place}::BOOLEAN" for place in range(10)]
    + [f"rare_{place}::VARCHAR" for place in range(10)]
)


def nested_record(chance, number):
    city = chance.randrange(5000)
    return {
        "id": number,
        "version": chance.randrange(1 << 40),
        "user": {
            "name": f"user {chance.randrange(100_000)}",
            "address": {"city": f"city {city}", "zip": f"{city * 17:05}", "floor": city % 30},
        },
        "tags": [f"tag {chance.randrange(50)}" for _ in range(chance.randrange(1, 4))],
        "items": [
            {
                "sku": f"S-{chance.randrange(10_000)}",
                "quantity": chance.randrange(1, 9),
                "price": chance.randrange(1, 100_000) / 128,
            }
            for _ in range(chance.randrange(1, 4))
        ],
    }


NESTED = (
    "id::BIGINT",
    "version::BIGINT",
    '"user".name',
    '"user".address.city',
    '"user".address.zip',
    '"user".address.floor::BIGINT',
    "array_to_string(tags, '|')",
    (
        "array_to_string([concat_ws('/', item.sku, item.quantity::BIGINT, item.price::DOUBLE)"
        " FOR item IN items], '|')"
    ),
)


def uuid_record(chance, number):
    minute, milli = divmod(chance.randrange(3_600_000), 60_000)
    return {
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "data": f"{chance.randrange(10_000)}",
        "ts": f"2019-04-23T17:{minute:02}:{milli // 1000:02}.{milli % 1000:03}Z",
    }


WRITERS = {"wide": wide_record, "nested": nested_record, "uuid": uuid_record}

LINES = {"shape": "lines", "suffix": ".ndjson"}
BY_VERSION = {"made_by": "write", "key": "id", "order": ("version",), **LINES}
SETS = {
    data.name: data
    for data in [
        Data("documents", 100),
        Data("documents-52m", 1_000),
        Data("one-file", 1_000, made_by="join", made_of="documents-52m"),
        Data("100k-files", 100_000, records=500, duplicates=25),
        Data("lines", 100, **LINES),
        Data("gzip", 100, shape="lines", suffix=".ndjson.gz"),
        Data("zstd", 100, shape="lines", suffix=".ndjson.zst", made_by="compress", made_of="lines"),
        Data("wide", 20, records=10_000, duplicates=500, compared=tuple(WIDE), **BY_VERSION),
        Data("nested", 20, records=50_000, compared=NESTED, **BY_VERSION),
        Data(
            "uuid",
            40,
            made_by="write",
            key="id",
            order=("ts", "data"),
            compared=("id::VARCHAR", "data::VARCHAR", "epoch_ms(ts::TIMESTAMPTZ)"),
            **LINES,
        ),
    ]
}


class Store:
    """The directory that data sets are in, each in one of its own, complete or absent."""

    def __init__(self, root, distil, tiny):
        self.root, self.distil, self.tiny = root, distil, tiny

    def directory(self, data):
        return self.root / data.name / "data"

    def answer(self, data):
        origin = SETS[data.made_of] if data.made_of else data
        return self.root / origin.name / "data.answer.json" if origin.plain else None

    def pattern(self, data):
        return f"{self.directory(data)}/*{data.suffix}"

    def get(self, data):
        """Makes the data set unless it is there, in a process of its own (see `measure`)."""
        answer = self.answer(data)
        if self.directory(data).exists() and (answer is None or answer.exists()):
            return
        if data.made_of:
            self.get(SETS[data.made_of])
        print(f"  making the data set {data.name}", flush=True)
        command = [sys.executable, __file__, data.name, str(self.root), self.distil]
        subprocess.run(command + ["--tiny"] * self.tiny, check=True)

    def make(self, data):
        staged = self.root / f"{data.name}.staged"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        getattr(self, data.made_by)(data, staged / "data")
        self.remove(data)
        staged.rename(self.root / data.name)

    def remove(self, data):
        shutil.rmtree(self.root / data.name, ignore_errors=True)

    def size(self, data):
        if self.tiny:
            return TINY
        return {"files": data.files, "records": data.records, "duplicates": data.duplicates}

    def generate(self, data, directory):
        flags = [f"--{name}={value}" for name, value in self.size(data).items()]
        flags += ["--spread=50%", f"--shape={'lines' if data.shape == 'lines' else 'document'}"]
        flags += ["--gzip"] if data.suffix.endswith(".gz") else []
        subprocess.run([self.distil, "generate", str(directory), *flags, "-q"], check=True)

    def join(self, data, directory):
        """All documents as one."""
        directory.mkdir()
        opening, closing = b'{"records": [', b"]}"
        with open(directory / "records.json", "wb") as joined:
            for index, path in enumerate(sorted(self.directory(SETS[data.made_of]).iterdir())):
                text = path.read_bytes()
                assert text.startswith(opening) and text.endswith(closing), path
                joined.write(b", " if index else opening)
                joined.write(text[len(opening) : -len(closing)])
            joined.write(closing)

    def compress(self, data, directory):
        import pyarrow

        directory.mkdir()
        for path in self.directory(SETS[data.made_of]).iterdir():
            with pyarrow.CompressedOutputStream(f"{directory / path.name}.zst", "zstd") as file:
                file.write(path.read_bytes())

    def write(self, data, directory):
        """Records of another shape: duplicates are alike, or differ in what orders them."""
        directory.mkdir()
        size = self.size(data)
        write_record, chance = WRITERS[data.name], random.Random(data.name)
        for file in range(size["files"]):
            first = file * size["records"]
            records = [write_record(chance, first + n) for n in range(size["records"])]
            for slot in range(size["duplicates"]):
                again = records[chance.randrange(size["records"])]
                if slot % 2:
                    again = {**write_record(chance, again["id"]), data.key: again[data.key]}
                records.append(again)
            chance.shuffle(records)
            with open(Path(directory) / f"records-{file:05}.ndjson", "w") as lines:
                lines.writelines(json.dumps(record) + "\n" for record in records)


if __name__ == "__main__":
    Store(Path(sys.argv[2]), sys.argv[3], "--tiny" in sys.argv).make(SETS[sys.argv[1]])
