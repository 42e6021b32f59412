"""What is installed."""

from __future__ import annotations

from . import _native

_OTHERS = ("pyarrow", "pandas", "polars", "duckdb", "pyspark")


def show_versions() -> None:
    """Prints the versions of distil, of Python, and of what rows are exchanged with."""
    import importlib.metadata
    import platform

    build = "" if _native.OPTIMISED else " (a build without optimisation)"
    lines = [
        f"distil    {_native.VERSION}{build}",
        f"python    {platform.python_version()}, {platform.platform()}",
    ]
    for name in _OTHERS:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            version = "not installed"
        lines.append(f"{name:<9} {version}")
    print("\n".join(lines))
