"""The note of the examples on a real Zeppelin, paragraph by paragraph, as a user who presses "run all" has it."""

import json
import os
import re
from pathlib import Path

import distil
import pytest
from zeppelin import ROOT, call

NOTE = ROOT / "examples" / "on_zeppelin.zpln"
HEADER = "id\tdata\tts"


@pytest.fixture
def run():
    """Runs the paragraphs of the imported note one after another: the source, how it ended, and what it put out."""
    url = os.environ["DISTIL_ZEPPELIN_URL"]
    note = call(f"{url}/api/notebook/import", "POST", NOTE.read_text())

    def paragraphs():
        for paragraph in call(f"{url}/api/notebook/{note}")["paragraphs"]:
            if not paragraph.get("text"):
                continue
            result = call(f"{url}/api/notebook/run/{note}/{paragraph['id']}", "POST")
            print(paragraph["text"], json.dumps(result, indent=1), sep="\n", flush=True)
            yield paragraph, result["code"], [(one["type"], one["data"]) for one in result["msg"]]

    return paragraphs()


def test_the_note_runs_and_its_outputs_are_right(run):
    expected = len(json.loads(NOTE.read_text())["paragraphs"])
    folder, tables, pictures, done = None, [], [], []
    for paragraph, code, put_out in run:
        assert code == "SUCCESS", f"{paragraph['text']}\n{put_out}"
        done.append(re.match(r"%(\S+)", paragraph["text"])[1])
        text = "".join(data for kind, data in put_out if kind == "TEXT")
        tables += [data.splitlines() for kind, data in put_out if kind == "TABLE"]
        pictures += [data for kind, data in put_out if kind == "HTML" and "900,000" in data]
        told = re.search(r"different values of ts: (\S+)", text)
        folder = Path(told[1]) if told else folder
        if len(done) == expected - 1:
            # The last one removes everything.
            answer = f"{folder}/incoming.answer.json"
            digests = set()
            for name in ("events.parquet", "spark-of-zeppelin", "spark-of-python"):
                assert distil.verify(folder / name, answer).complete
                digests.add(distil.digest(folder / name))
            assert len(digests) == 1 and text.count(digests.pop()) == 3
    assert len(done) == expected and set(done) == {"md", "python", "spark.pyspark"}
    assert folder is not None and not folder.exists()
    # By pandas in %python, and by Spark in %spark.pyspark: the same first rows.
    assert len(tables) == 2 and all(table[0] == HEADER and len(table) == 11 for table in tables)
    assert [row.split("\t")[:2] for row in tables[0]] == [row.split("\t")[:2] for row in tables[1]]
    assert len(pictures) == 1 and pictures[0].lstrip().startswith("<div")
