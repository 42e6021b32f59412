"""What the package is built from can be built elsewhere."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# `make test-all` asks for many generated cases.
ALL = int(os.environ.get("DISTIL_CASES", "0")) > 1000


@pytest.fixture
def unpacked(tmp_path):
    """The sources as they are published, in a folder of their own."""
    maturin = [str(Path(sys.executable).parent / "maturin"), "sdist", "--out", str(tmp_path)]
    subprocess.run(maturin, cwd=ROOT, check=True, capture_output=True)
    [archive] = tmp_path.glob("distil-*.tar.gz")
    # All of it is text; what is built, fetched or large does not belong there.
    assert archive.stat().st_size < 4 << 20
    with tarfile.open(archive) as sources:
        sources.extractall(tmp_path, filter="data")
    return tmp_path / archive.name.removesuffix(".tar.gz")


def test_the_sources_are_whole(unpacked):
    assert (unpacked / "LICENSE").is_file() and (unpacked / "crates/spark/Cargo.toml").is_file()
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"]
    found = subprocess.run(command, cwd=unpacked, check=True, capture_output=True, text=True)
    names = {package["name"] for package in json.loads(found.stdout)["packages"]}
    assert {"distil", "distil-python", "distil-spark", "pyo3"} <= names


@pytest.mark.skipif(not ALL, reason="in `make test-all`: it builds everything once more")
def test_a_wheel_is_built_from_the_sources(unpacked, tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(tmp_path), "."]
    subprocess.run(command, cwd=unpacked, check=True)
    [wheel] = tmp_path.glob("distil-*-cp311-abi3-*.whl")
    assert wheel.stat().st_size < 20 << 20
