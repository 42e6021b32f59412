"""The programs in the documents run as they stand there."""

import json
import re
from pathlib import Path

import pytest

from conftest import EVENTS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("document", ["README.md", "docs/python.md"])
def test_what_is_python_in_a_document_runs(document, tmp_path):
    (tmp_path / "incoming").mkdir()
    records = [{**event, "id": int(event["id"])} for event in EVENTS]
    (tmp_path / "incoming" / "a.json").write_text(json.dumps({"records": records}))
    programs = re.findall(
        r"^```python\n(.*?)^```", (ROOT / document).read_text(), re.DOTALL | re.MULTILINE
    )
    assert len(programs) >= 2
    names = {}
    for program in programs:
        exec(compile(program, document, "exec"), names)
    assert names["report"].rows == 2
