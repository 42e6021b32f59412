"""Writes the licences of everything that is linked into the program or the Python package: `python3 crates/cli/licenses.py`.

The list is that of a build with all features, and of the platform that it is made on. `--check` says whether the
file is up to date instead of writing it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "crates/cli/licenses.txt"
TEXTS = re.compile(r"^(licen[cs]e|copying|notice|unlicense|copyright)", re.IGNORECASE)


def metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    command += ["--filter-platform", "x86_64-unknown-linux-gnu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return json.loads(done.stdout)


def linked(found):
    """The packages that are linked into the program or the Python package, our own crates left out."""
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    faces = ("distil-cli", "distil-python")
    todo = [name for name, package in packages.items() if package["name"] in faces]
    seen = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        # What a build or a test needs is not in the program.
        todo.extend(
            dependency["pkg"]
            for dependency in nodes[name]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        )
    own = set(found["workspace_members"])
    return sorted(
        (packages[name] for name in seen if name not in own),
        key=lambda package: (package["name"], package["version"]),
    )


def texts(package):
    directory = Path(package["manifest_path"]).parent
    files = sorted(
        path for path in directory.iterdir() if TEXTS.match(path.name) and path.is_file()
    )
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]


def written(packages):
    numbers = {}
    lines = []
    for package in packages:
        own = []
        for text in texts(package):
            key = " ".join(text.split())
            number, _ = numbers.setdefault(key, (len(numbers) + 1, text))
            own.append(f"[{number}]")
        licence = package["license"] or "see its text"
        lines.append(f"{package['name']} {package['version']}: {licence} {''.join(own)}".rstrip())
    parts = [
        "distil contains the crates below, each under the licences named with it. The numbers are those of the",
        "texts that follow.",
        "",
        *lines,
    ]
    for number, text in numbers.values():
        parts += ["", f"[{number}]", "", *(line.rstrip() for line in text.splitlines())]
    return "\n".join(parts) + "\n"


def main():
    text = written(linked(metadata()))
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        sys.exit(f"{FILE.relative_to(ROOT)} is not up to date: run python3 crates/cli/licenses.py")


main()
