"""Real JSON that nobody here wrote: the data sets of Vega.

`vega_expected.json` holds, for every file, its records, distinct records and schema. The oracle
worked them out and people reviewed them; distil must agree. `pytest --update` writes them anew.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

import oracle
from readers import comparable, with_duckdb, with_polars, with_pyarrow

EXPECTED = Path(__file__).with_name("vega_expected.json")


def data():
    directory = os.environ.get("VEGA_DATA")
    if not directory or not Path(directory).is_dir():
        pytest.fail("set VEGA_DATA to the data of vega-datasets (npm), or run `make test`")
    return Path(directory)


def expected():
    return json.loads(EXPECTED.read_text())


def distinct(records):
    """The records, equal ones once: canonical text is the same exactly for equal records."""
    return list({oracle.canonical(record): record for record in records}.values())


def test_every_file_is_expected(request):
    """And the oracle still says what was reviewed."""
    found = {}
    for path in sorted(data().glob("*.json")):
        records = oracle.records_of(path.read_text(encoding="utf-8"))
        schema = oracle.infer_members(records)
        found[path.name] = {
            "records": len(records),
            "rows": len(distinct(records)),
            "schema": {name: oracle.type_text(schema[name]) for name in schema},
        }
    if request.config.getoption("--update"):
        EXPECTED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == expected()


@pytest.mark.parametrize("name", sorted(expected()) if EXPECTED.exists() else [])
def test_real_files_have_the_reviewed_schema_and_lose_nothing(distil, name):
    path = data() / name
    output, report = distil.run(path, "--key", "*")
    wanted = expected()[name]
    assert {column["name"]: column["type"] for column in report["schema"]} == wanted["schema"]
    assert [column["name"] for column in report["schema"]] == list(wanted["schema"])
    assert report["records"]["accepted"] == report["records"]["read"] == wanted["records"]
    assert report["records"]["written"] == wanted["rows"]
    assert report["records"]["duplicates"]["identical"] == wanted["records"] - wanted["rows"]

    records = oracle.records_of(path.read_text(encoding="utf-8"))
    schema = oracle.infer_members(records)
    rows = Counter(
        comparable({column: oracle.stored(record.get(column), schema[column]) for column in schema})
        for record in distinct(records)
    )
    for reader in (with_pyarrow, with_duckdb, with_polars):
        assert Counter(map(comparable, reader(output))) == rows, reader.__name__
