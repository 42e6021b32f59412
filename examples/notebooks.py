"""Makes, checks and executes the notebooks of this directory, each from its source, a Python file in percent format.

    python examples/notebooks.py FOLDER     executes them, and writes what came out to FOLDER
    python examples/notebooks.py --write    executes them, and writes the notebooks here, with what came out
    python examples/notebooks.py --check    executes nothing: are the notebooks here what the sources give?

A cell begins with a line `# %%`, or `# %% [markdown]` where its lines are comments that hold Markdown. What stands
before the first one is for tools, and not in the notebook. One source becomes a note for Zeppelin, where a line
`# %% [INTERPRETER] TITLE` begins a paragraph; a Zeppelin executes it, and not this program. The kernel is the Python that runs this. Its settings, its
history and the sockets through which it is asked are in a temporary directory; it listens on no address but 127.0.0.1.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelspec import write_kernel_spec
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

HERE = Path(__file__).resolve().parent
#: The most seconds for one cell.
TIMEOUT = 300
#: What notebooks say of their kernel, and the kinds of output that they keep.
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
KEPT = ("text/html", "text/plain")

#: The source of the note for Zeppelin, and how its pages show the text of an interpreter.
NOTE = HERE / "on_zeppelin.py"
LANGUAGES = {"md": "markdown", "python": "python", "spark.pyspark": "python"}

# Most of nbformat has no annotations.
formats: Any = nbformat


def sources() -> list[Path]:
    """The sources of the notebooks."""
    return sorted(
        path for path in HERE.glob("*.py") if path not in (Path(__file__).resolve(), NOTE)
    )


def parts(source: Path) -> Iterator[tuple[str, str]]:
    """What stands behind the `# %%` of each cell, and its text; that of Markdown is no comment any more."""
    split = re.split(r"^# %%(.*)\n", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for kind, body in zip(split[1::2], split[2::2], strict=True):
        text = body.strip()
        if kind.strip() in ("[markdown]", "[md]"):
            text = re.sub(r"^# ?", "", text, flags=re.MULTILINE)
        yield kind.strip(), text


def made(source: Path) -> Any:
    """The notebook of a source, the same one each time."""
    cells = []
    for number, (kind, text) in enumerate(parts(source), start=1):
        if kind == "[markdown]":
            cell = formats.v4.new_markdown_cell(text)
        elif not kind:
            cell = formats.v4.new_code_cell(text)
        else:
            raise SystemExit(f"{source.name}: a cell is code or [markdown], not {kind}")
        cell["id"] = f"{source.stem}-{number}"
        cells.append(cell)
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return formats.v4.new_notebook(cells=cells, metadata=metadata)


def note() -> str:
    """The note for Zeppelin, as a text of JSON."""
    paragraphs: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(parts(NOTE), start=1):
        told = re.fullmatch(r"\[(\S+)\] ?(.*)", kind)
        if told is None or told[1] not in LANGUAGES:
            raise SystemExit(f"{NOTE.name}: a paragraph is of {' or '.join(LANGUAGES)}, not {kind}")
        interpreter, title = told.groups()
        if interpreter == "md":
            # Zeppelin breaks lines where the text does.
            text = re.sub(r"(?<!\n)\n(?!\n)", " ", text)
        config = {
            "colWidth": 12,
            "enabled": True,
            "title": bool(title),
            "editorMode": f"ace/mode/{LANGUAGES[interpreter]}",
        }
        paragraphs.append(
            {
                "id": f"paragraph_{NOTE.stem}_{number}",
                "title": title,
                "text": f"%{interpreter}\n\n{text}\n",
                "config": config,
                "settings": {"params": {}, "forms": {}},
                "status": "READY",
            }
        )
    return json.dumps({"name": "distil", "paragraphs": paragraphs, "config": {}}, indent=1) + "\n"


def without_outputs(notebook: Any) -> Any:
    """The same notebook, as if it had never run."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def tidied(notebook: Any) -> Any:
    """The same notebook, with what its cells put out, but without when and where they ran."""
    notebook["metadata"]["language_info"] = {"name": "python"}
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        for output in cell.get("outputs", []):
            if "data" in output:
                output["data"] = {
                    kind: data for kind, data in output["data"].items() if kind in KEPT
                }
        # A line of progress that is gone again leaves an empty output. On standard error Spark tells of the machine.
        if "outputs" in cell:
            cell["outputs"] = [
                o
                for o in cell["outputs"]
                if o.get("name") != "stderr" and ("data" not in o or any(o["data"].values()))
            ]
    return notebook


@contextmanager
def private_jupyter() -> Iterator[Config]:
    """Jupyter and IPython that read and write nothing outside of a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="distil-notebooks-") as directory:
        os.environ["JUPYTER_PATH"] = f"{directory}/share/jupyter"
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            os.environ[name] = f"{directory}/{name}"
        os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
        write_kernel_spec(f"{directory}/share/jupyter/kernels/{KERNEL['name']}")
        # A path of a socket must be short.
        yield Config({"KernelManager": {"transport": "ipc", "ip": f"{directory}/k"}})


def executed(source: Path, config: Config) -> Any:
    """The notebook of a source after its execution, in a directory of its own."""
    notebook = made(source)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"{source.stem}-") as directory:
        client = NotebookClient(
            notebook,
            config=config,
            timeout=TIMEOUT,
            kernel_name="python3",
            coalesce_streams=True,
            resources={"metadata": {"path": directory}},
        )
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            told = re.sub(r"\x1b\[[\d;]*m", "", str(error))
            raise SystemExit(f"{source.name} failed:\n{told}") from None
        left = sorted(os.listdir(directory))
    if left:
        raise SystemExit(f"{source.name} left files in its directory: {', '.join(left)}")
    print(f"{source.stem}: {time.perf_counter() - begun:.1f} s", flush=True)
    return tidied(notebook)


def write(notebook: Any, folder: Path, stem: str) -> None:
    """Writes a notebook to a folder."""
    formats.validate(notebook)
    (folder / f"{stem}.ipynb").write_text(formats.writes(notebook) + "\n", encoding="utf-8")


def write_page(notebook: Any, folder: Path, stem: str) -> None:
    """Writes a notebook as a page of HTML, where nbconvert is installed."""
    if importlib.util.find_spec("nbconvert") is None:
        return
    exporter: Any = importlib.import_module("nbconvert").HTMLExporter()
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": stem}})
    (folder / f"{stem}.html").write_text(page, encoding="utf-8")


def check() -> int:
    """Compares the notebooks here with their sources; returns the exit status."""
    wrong = []
    for source in sources():
        path = source.with_suffix(".ipynb")
        if not path.exists():
            wrong.append(f"{path.name} is missing")
        elif without_outputs(formats.read(path, as_version=4)) != made(source):
            wrong.append(f"{path.name} is not what {source.name} gives")
    path = NOTE.with_suffix(".zpln")
    if not path.exists() or path.read_text(encoding="utf-8") != note():
        wrong.append(f"{path.name} is not what {NOTE.name} gives")
    known = {source.stem for source in sources()}
    wrong += [
        f"{path.name} has no source" for path in HERE.glob("*.ipynb") if path.stem not in known
    ]
    for line in wrong:
        print(f"{line}: run examples/notebooks.py --write", file=sys.stderr)
    return 1 if wrong else 0


def main() -> int:
    """Returns the exit status."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=Path, help="where the executed notebooks go")
    what.add_argument("--write", action="store_true", help="write the notebooks here")
    what.add_argument("--check", action="store_true", help="only compare")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    folder: Path = HERE if arguments.write else arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NOTE.stem}.zpln").write_text(note(), encoding="utf-8")
    with private_jupyter() as config:
        for source in sources():
            notebook = executed(source, config)
            write(notebook, folder, source.stem)
            if not arguments.write:
                write_page(notebook, folder, source.stem)
    return 0


if __name__ == "__main__":
    sys.exit(main())
