"""Writes what the released program is made of, as CycloneDX 1.5: `python3 crates/cli/sbom.py > distil.cdx.json`.

`--features spark` and `--target TRIPLE` are those of the build; without them, the features are the default ones, and the
target is this machine. The same sources give the same bytes; with `SOURCE_DATE_EPOCH`, the document says that time.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import urllib.parse
import uuid
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "distil-cli"


def cargo(*arguments):
    done = subprocess.run(
        ["cargo", *arguments, "--locked"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def host():
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True)
    return re.search(r"^host: (.+)$", version.stdout, re.MULTILINE).group(1)


def built(features, target, edges):
    """Name and version of every package that a build of the program has, by edges of this kind."""
    lines = cargo(
        *("tree", "-p", PROGRAM, "--features", features, "--target", target, "--edges", edges),
        *("--prefix", "none", "--format", "{p}"),
    )
    words = [line.split() for line in lines.splitlines() if line]
    return {(name, version.removeprefix("v")) for name, version, *_ in words}


def purl(package):
    version = urllib.parse.quote(package["version"], safe="")
    return f"pkg:cargo/{package['name']}@{version}"


def licences(package):
    if package["license"]:
        # Old packages write a slash for a choice.
        return [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
    return [{"license": {"name": f"see {package['license_file']}"}}]


def component(package, hashes, linked):
    name, version = package["name"], package["version"]
    found = {
        "type": "library",
        "bom-ref": purl(package),
        "name": name,
        "version": version,
        # What only works at compile time, as macros do, is not in the program.
        "scope": "required" if (name, version) in linked else "excluded",
        "licenses": licences(package),
        "purl": purl(package),
    }
    if package["description"]:
        found["description"] = " ".join(package["description"].split())
    if (name, version) in hashes:
        found["hashes"] = [{"alg": "SHA-256", "content": hashes[name, version]}]
    if package["repository"]:
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return found


def dependencies(packages, resolved):
    """What depends on what, among these packages by their ids."""
    found = []
    for node in resolved["nodes"]:
        if node["id"] in packages:
            names = {
                purl(packages[dependency["pkg"]])
                for dependency in node["deps"]
                if dependency["pkg"] in packages
                and any(kind["kind"] is None for kind in dependency["dep_kinds"])
            }
            found.append({"ref": purl(packages[node["id"]]), "dependsOn": sorted(names)})
    return sorted(found, key=lambda entry: entry["ref"])


def document(features, target):
    metadata = json.loads(
        cargo("metadata", "--format-version", "1", "--all-features", "--filter-platform", target)
    )
    wanted = built(features, target, "normal")
    linked = built(features, target, "normal,no-proc-macro")
    packages = {
        package["id"]: package
        for package in metadata["packages"]
        if (package["name"], package["version"]) in wanted
    }
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    hashes = {
        (package["name"], package["version"]): package["checksum"]
        for package in locked
        if "checksum" in package
    }
    (program,) = [package for package in packages.values() if package["name"] == PROGRAM]
    components = sorted(
        (
            component(package, hashes, linked)
            for package in packages.values()
            if package is not program
        ),
        key=lambda entry: entry["bom-ref"],
    )
    root = {
        **component(program, hashes, linked),
        "type": "application",
        "name": "distil",
        "properties": [
            {"name": "cargo:features", "value": features},
            {"name": "cargo:target", "value": target},
        ],
    }
    about = {"component": root}
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        time = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
        about["timestamp"] = time.isoformat().replace("+00:00", "Z")
    body = {
        "metadata": about,
        "components": components,
        "dependencies": dependencies(packages, metadata["resolve"]),
    }
    # The same content has the same number.
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        **body,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", default="", help="features of the build")
    parser.add_argument("--target", default=None, help="the target of the build")
    arguments = parser.parse_args()
    target = arguments.target or host()
    print(json.dumps(document(arguments.features, target), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
