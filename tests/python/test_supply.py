"""Everything that the released program is made of is listed, and nothing is left out."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]


def sbom(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, ROOT / "crates/cli/sbom.py", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def named(components):
    return {(component["name"], component["version"]) for component in components}


def crates(features):
    """Names and versions of what a program of these features links, as Cargo tells them."""
    tree = [
        *("cargo", "tree", "--locked", "-p", "distil-cli", "--features", features),
        *("--edges", "normal", "--prefix", "none", "--format", "{p}"),
    ]
    done = subprocess.run(tree, cwd=ROOT, capture_output=True, text=True, check=True)
    return {tuple(re.match(r"(\S+) v(\S+)", line).groups()) for line in done.stdout.splitlines()}


@pytest.mark.parametrize("features", ["", "spark", "cloud"])
def test_the_sbom_is_valid_and_whole(features):
    text = sbom("--features", features)
    problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    assert problem is None, problem
    document = json.loads(text)
    components = document["components"]
    for component in components:
        assert component["purl"].startswith(f"pkg:cargo/{component['name']}@")
        (licence,) = component["licenses"]
        assert licence["expression"]
        # What a registry has is known by its bytes.
        assert component["name"].startswith("distil") or component["hashes"]
    found = crates(features)
    program = ("distil-cli", document["metadata"]["component"]["version"])
    assert named(components) == found - {program}
    references = [component["bom-ref"] for component in components]
    assert len(set(references)) == len(references)
    own = document["metadata"]["component"]["bom-ref"]
    assert {entry["ref"] for entry in document["dependencies"]} == {own, *references}
    assert ("tonic" in dict(found)) == (features == "spark")
    assert ("object_store" in dict(found)) == (features == "cloud")


def test_the_default_build_has_one_arrow():
    def versions(features):
        return {
            version for name, version in crates(features) if name.startswith(("arrow", "parquet"))
        }

    (ours,) = versions("")
    # The client of Spark brings one of its own, which its feature keeps out of every other build.
    assert len(versions("spark") - {ours}) == 1


def test_the_sbom_has_what_the_program_prints_licences_of(distil):
    text = distil("--licenses")
    printed = set(re.findall(r"^(\S+) (\S+): ", text.split("\n\n")[1], re.MULTILINE))
    components = json.loads(sbom("--features", "spark,cloud"))["components"]
    others = {name for name in named(components) if not name[0].startswith("distil")}
    assert others <= printed
    # The licences are those of all features of all crates, which is a little more.
    assert len(others) > 0.9 * len(printed)


def test_the_same_sources_give_the_same_sbom():
    assert sbom() == sbom()
    document = json.loads(sbom(SOURCE_DATE_EPOCH="1700000000"))
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
