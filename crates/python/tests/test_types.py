"""What the types of the package say, and whether it is true."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import distil
from distil import _native
from distil._arguments import SIZES

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parents[1]


def run(*command):
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_options_are_those_that_are_declared():
    run(PACKAGE / "options.py", "--check")


def test_the_sources_and_the_examples_are_strictly_typed():
    run(
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        sys.executable,
        PACKAGE / "python" / "distil",
        ROOT / "examples",
    )


def test_the_stubs_are_what_is_there():
    run(
        "-m",
        "mypy.stubtest",
        "distil._native",
        "--ignore-disjoint-bases",
        "--mypy-config-file",
        ROOT / "pyproject.toml",
    )


def test_writing_takes_every_option_of_outputs():
    jobs = json.loads(_native.options())["jobs"]
    written = {option["name"] for option in jobs if option["heading"] == "Output"}
    # What to read, and which columns, is said by other steps.
    expected = (written - {"columns"}) | {"path", "report"}
    signature = inspect.signature(distil.DataFrame.write_parquet)
    assert set(signature.parameters) - {"self"} == expected - {"output", "key"}
    duplicates = {option["name"] for option in jobs if option["heading"] == "Duplicates"}
    assert set(inspect.signature(distil.DataFrame.drop_duplicates).parameters) - {
        "self"
    } == duplicates | {"subset"}


def test_sizes_are_known():
    declared = [option for kind in json.loads(_native.options()).values() for option in kind]
    sizes = {option["name"] for option in declared if option["written"].startswith("a size")}
    assert sizes == set(SIZES)


def test_the_reference_is_what_the_docstrings_say():
    run(PACKAGE / "reference.py", "--check")


def test_everything_public_says_what_it_is():
    for name in distil.__all__:
        value = getattr(distil, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name
            for member, function in vars(value).items() if inspect.isclass(value) else []:
                if inspect.isfunction(function) and not member.startswith("_"):
                    assert inspect.getdoc(function), f"{name}.{member}"
