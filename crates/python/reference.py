"""Writes the reference of `docs/python.md` from the docstrings of the package.

`python reference.py` writes it, `python reference.py --check` fails where it is not what they say. It needs the
package, built.
"""

import dataclasses
import inspect
import sys
from pathlib import Path

import distil
from distil._exports import Exports

FILE = Path(__file__).parents[2] / "docs" / "python.md"
BEGIN, END = "<!-- reference -->\n", "<!-- /reference -->\n"
FUNCTIONS = [
    *(
        "read_json",
        "read_parquet",
        "from_records",
        "from_arrow",
        "from_pandas",
        "run",
        "plan",
        "schema",
    ),
    *("verify", "digest", "generate", "backends", "show_versions"),
]
CLASSES = [
    *(
        "DataFrame",
        "Table",
        "Report",
        "Session",
        "Schema",
        "Column",
        "Progress",
        "Verified",
        "Answer",
        "KeyAnswer",
    ),
    *("Backend", "Plan", "Hint", "BadRecord"),
]


def main() -> int:
    """Writes or checks the reference; returns the exit status."""
    text = FILE.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    new = before + BEGIN + reference() + END + after
    if sys.argv[1:] == ["--check"]:
        if new == text:
            return 0
        print(
            f"{FILE}: not what the docstrings say: run crates/python/reference.py", file=sys.stderr
        )
        return 1
    FILE.write_text(new)
    return 0


def reference() -> str:
    """The whole reference."""
    parts = ["### Functions\n"]
    parts += [entry(f"distil.{name}", getattr(distil, name)) for name in FUNCTIONS]
    for name in CLASSES:
        kind = getattr(distil, name)
        parts.append(f"\n### {name}\n\n{paragraphs(kind)}\n")
        if dataclasses.is_dataclass(kind):
            fields = [
                field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")
            ]
            if fields:
                parts.append("Fields: " + ", ".join(f"`{field}`" for field in fields) + ".\n")
        parts += [entry(member, value) for member, value in members(kind)]
    return "\n" + "\n".join(parts) + "\n"


def members(kind: type) -> list[tuple[str, object]]:
    """What a class has for its users, in the order of its source."""
    own = [(name, value) for name, value in vars(kind).items() if not name.startswith("_")]
    if issubclass(kind, Exports):
        own += [(name, value) for name, value in vars(Exports).items() if not name.startswith("_")]
    # What functions are as well stands with them.
    functions = FUNCTIONS if kind is distil.Session else []
    return [
        (name, value)
        for name, value in own
        if inspect.isfunction(unwrapped(value)) and name not in functions
    ]


def unwrapped(value: object) -> object:
    """The function behind a property or a class method."""
    for inner in ("fget", "__func__", "func"):
        value = getattr(value, inner, value)
    return value


def entry(name: str, value: object) -> str:
    """A function, a method or a property."""
    function = unwrapped(value)
    if isinstance(value, property) or not callable(function) or "cached" in type(value).__name__:
        return f"- `{name}`: {first(function)}"
    parameters = [
        parameter.replace(annotation=parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in ("self", "cls")
    ]
    signature = inspect.Signature(parameters)
    return f"- `{name}{signature}`: {first(function)}"


def first(value: object) -> str:
    """The first paragraph of a docstring, on one line."""
    text = inspect.getdoc(value) or ""
    return plain(" ".join(text.split("\n\n")[0].split()))


def paragraphs(kind: type) -> str:
    """The docstring of a class up to its arguments and examples."""
    kept = []
    for paragraph in (inspect.getdoc(kind) or "").split("\n\n"):
        if paragraph.startswith(("Args:", "Raises:", ">>>")):
            break
        kept.append(plain(" ".join(paragraph.split())))
    return "\n\n".join(kept)


def plain(text: str) -> str:
    """Markdown of the marks that docstrings have."""
    for role in (":meth:", ":class:", ":func:", ":mod:"):
        text = text.replace(role, "")
    return text.replace("``", "`").replace("`~distil.", "`")


if __name__ == "__main__":
    sys.exit(main())
