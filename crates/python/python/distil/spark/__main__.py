"""Prints the path of the application for ``spark-submit``."""

from pathlib import Path

print(Path(__file__).with_name("application.py"))
