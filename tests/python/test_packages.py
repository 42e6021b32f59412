"""Real JSON from packages of npm and PyPI, most of it within values: counts and values are worked out here, from the
text of the files and the path alone.
"""

import json
import os
from collections import Counter
from importlib.metadata import files as files_of
from pathlib import Path

import pytest

import oracle
from readers import comparable, with_duckdb, with_polars, with_pyarrow

# Package, its file or directory, the path to the records; how many there are, and how many of them differ.
SOURCES = [
    ("mime-db", "db.json", "/{type}", 2522, 2522),
    ("language-subtag-registry", "data/json/registry.json", None, 9281, 9281),
    ("language-subtag-registry", "data/json/index.json", "/{subtag}", 8906, 8906),
    ("language-subtag-registry", "data/json/meta.json", None, 1, 1),
    ("moment-timezone", "data/meta/latest.json", "/countries/{code}", 247, 247),
    ("moment-timezone", "data/meta/latest.json", "/zones/{zone}", 418, 418),
    ("node-releases", "data/processed/envs.json", None, 387, 387),
    ("node-releases", "data/release-schedule/release-schedule.json", "/{release}", 27, 27),
    ("unicode-emoji-json", "data-by-emoji.json", "/{emoji}", 1914, 1914),
    ("unicode-emoji-json", "data-by-group.json", "/*", 9, 9),
    ("unicode-emoji-json", "data-emoji-components.json", None, 1, 1),
    ("us-atlas", "states-10m.json", "/objects/states/geometries", 56, 56),
    ("us-atlas", "counties-albers-10m.json", "/objects/counties/geometries", 3142, 3142),
    ("us-atlas", "nation-10m.json", "/objects/{name}/geometries", 1, 1),
    ("world-countries", "dist/countries.json", None, 250, 250),
    ("world-countries", "data", "/features", 250, 250),
    ("pycountry", "databases/iso3166-1.json", "/3166-1", 249, 249),
    ("pycountry", "databases/iso3166-2.json", "/3166-2", 5046, 5046),
    ("pycountry", "databases/iso3166-3.json", "/3166-3", 31, 31),
    ("pycountry", "databases/iso15924.json", "/15924", 226, 226),
    ("pycountry", "databases/iso4217.json", "/4217", 178, 178),
    ("pycountry", "databases/iso639-3.json", "/639-3", 7923, 7923),
    ("pycountry", "databases/iso639-5.json", "/639-5", 115, 115),
]


def place(package, name):
    if package == "pycountry":
        return next(Path(f.locate()) for f in files_of(package) if str(f).endswith(name))
    directory = os.environ.get("PACKAGES")
    if not directory or not Path(directory).is_dir():
        pytest.fail("set PACKAGES to the directory of unpacked packages, or run `make test`")
    return Path(directory) / package / "package" / name


def at(value, steps, added):
    """The records of a value: those at the end of the path, with the names of maps on the way."""
    if not steps:
        yield from (
            {**added, **record} for record in (value if isinstance(value, list) else [value])
        )
        return
    step, rest = steps[0], steps[1:]
    if step == "*":
        members = value if isinstance(value, list) else value.values()
        for member in members:
            yield from at(member, rest, added)
    elif step.startswith("{"):
        for name, member in value.items():
            yield from at(member, rest, {**added, step[1:-1]: name})
    elif step in value:
        yield from at(value[step], rest, added)


def records_in(path, records_path):
    files = sorted(path.glob("*.geo.json")) if path.is_dir() else [path]
    steps = records_path.split("/")[1:] if records_path else []
    for file in files:
        yield from at(oracle.loads(file.read_text(encoding="utf-8")), steps, {})


@pytest.mark.parametrize(("package", "name", "records_path", "count", "rows"), SOURCES)
def test_packages_are_read_as_they_are(distil, package, name, records_path, count, rows):
    path = place(package, name)
    source = path if path.is_file() else f"{path}/*.geo.json"
    flags = ["--records", records_path] if records_path else []
    output, report = distil.run(source, "--key", "*", *flags)
    assert report["records"]["read"] == report["records"]["accepted"] == count
    assert report["records"]["written"] == rows

    records = list(records_in(path, records_path))
    assert len(records) == count
    distinct = {oracle.canonical(record): record for record in records}
    assert len(distinct) == rows
    schema = oracle.infer_members(records)
    names = [column["name"] for column in report["schema"]]
    assert {column["name"]: column["type"] for column in report["schema"]} == {
        column: oracle.type_text(schema[column]) for column in schema
    }
    assert names == list(schema)
    wanted = Counter(
        comparable({column: oracle.stored(record.get(column), schema[column]) for column in schema})
        for record in distinct.values()
    )
    for reader in (with_pyarrow, with_duckdb, with_polars):
        assert Counter(map(comparable, reader(output))) == wanted, reader.__name__


def test_every_source_is_another():
    assert len({json.dumps(source[:3]) for source in SOURCES}) == len(SOURCES) >= 20
