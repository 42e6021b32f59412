"""Draws the chart of docs/benchmarks.md from its tables: `bench/chart.py DOCUMENT CHART [SHOWN_IN ...]`.

The same tables give the same bytes. The files that show the chart get its numbers as the text for
who can't see it. `--check` writes nothing, and fails where something is not what the tables give.
"""

import argparse
import re
import sys
from html import escape
from pathlib import Path

import report

# Those that all peers take part in, at the size that the README speaks of.
SCENARIOS = ("documents", "lines")
TITLE = "JSON files to one Parquet file, one record for every key"

WIDTH, MARGIN = 720, 24
NAMES = 172  # where the names end and the bars begin
LABELS = 118  # room after the longest bar for its label
ROW, BAR = 26, 16

# A card of its own, since the page around it may be dark where the system is light, or the reverse.
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }
.card { fill: #ffffff; stroke: #d0d7de }
.title { font-size: 17px; font-weight: 600 }
.panel { font-weight: 600 }
.note, .times { fill: #59636e }
.note { font-size: 12px }
.bar { fill: #afb8c1 }
.range { stroke: #59636e; stroke-width: 1.5 }
.axis { stroke: #d0d7de }
.own { font-weight: 700 }
.own.bar { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.card { fill: #0d1117; stroke: #3d444d }
.note, .times { fill: #9198a1 }
.bar { fill: #565e67 }
.range { stroke: #b7bec6 }
.axis { stroke: #3d444d }
.own.bar { fill: #4493f8 }
}
"""


class Drawing:
    """Elements from top to bottom; `y` is where the next one goes."""

    def __init__(self):
        self.lines, self.y = [], MARGIN

    def text(self, x, content, kind="", anchor="start"):
        """A line of text whose baseline is `y`; `content` is markup."""
        self.lines.append(
            f'<text class="{kind}" x="{x:g}" y="{self.y:g}" text-anchor="{anchor}">{content}</text>'
        )

    def panel(self, section, scale):
        """The bars of a scenario, the fastest first, one that failed last."""
        self.y += 34
        self.text(MARGIN, safe(section.title), "panel")
        self.y += 12
        top = self.y
        for figure in ordered(section):
            self.bar(figure, scale)
        self.lines.append(line("axis", NAMES, top, NAMES, self.y))

    def bar(self, figure, scale):
        """A name, the bar with the range of its runs, and what it says."""
        own = "own " if is_distil(figure) else ""
        top, middle = self.y + (ROW - BAR) / 2, self.y + ROW / 2
        self.y += ROW / 2 + 4.5
        self.text(NAMES - 10, safe(shortened(figure.name, 24)), f"{own}name", "end")
        if figure.seconds is None:
            self.text(NAMES + 8, "failed", "note")
        else:
            fastest, end, slowest = (
                round(NAMES + seconds * scale, 1)
                for seconds in (figure.fastest, figure.seconds, figure.slowest)
            )
            self.lines.append(
                f'<rect class="{own}bar" x="{NAMES}" y="{top:g}" width="{end - NAMES:.1f}" height="{BAR}"/>'
            )
            self.lines.append(line("range", fastest, middle, slowest, middle))
            times = "" if own else f' <tspan class="times" dx="4">{figure.times:.1f}×</tspan>'
            self.text(slowest + 8, f"{figure.seconds:.2f} s{times}", f"{own}value")
        self.y = middle + ROW / 2


def line(kind, x1, y1, x2, y2):
    return f'<line class="{kind}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def drawn(sections):
    """The chart, whole. All bars have one scale, so that they compare across scenarios."""
    slowest = max(figure.slowest or 0 for section in sections for figure in section.figures)
    scale = (WIDTH - MARGIN - LABELS - NAMES) / (slowest or 1)
    drawing = Drawing()
    drawing.y += 16
    drawing.text(MARGIN, TITLE, "title")
    drawing.y += 22
    runs = " and ".join(dict.fromkeys(str(section.runs) for section in sections))
    how = f"Seconds by the clock for the whole process; shorter is better. Medians of {runs} runs."
    drawing.text(MARGIN, how, "note")
    drawing.y += 17
    drawing.text(MARGIN, "Lines: fastest to slowest run. ×: times as long as distil.", "note")
    for section in sections:
        drawing.panel(section, scale)
    drawing.y += 12
    for origin in origins(sections):
        drawing.y += 17
        drawing.text(MARGIN, safe(shortened(origin, 100)), "note")
    height = drawing.y + MARGIN - 6
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    spoken = 'role="img" aria-labelledby="title description"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {spoken}>',
            f'<title id="title">{TITLE}</title>',
            f'<desc id="description">{safe(described(sections))}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:g}" rx="8"/>',
            *drawing.lines,
            "</svg>\n",
        ]
    )


def described(sections):
    """All the numbers, in words."""
    parts = [
        f"{section.title}: " + ", ".join(f"{f.name} {said(f)}" for f in ordered(section)) + "."
        for section in sections
    ]
    return " ".join(["Bar chart of seconds by the clock.", *parts, *origins(sections)])


def said(figure):
    return "failed" if figure.seconds is None else f"{figure.seconds:.2f} s"


def origins(sections):
    """The machines, mostly one."""
    return [f"{origin}." for origin in dict.fromkeys(section.origin for section in sections)]


def ordered(section):
    failed = float("inf")
    return sorted(section.figures, key=lambda f: failed if f.seconds is None else f.seconds)


def is_distil(figure):
    return figure.name.split(" ")[0] == "distil"


def shortened(text, length):
    return text if len(text) <= length else text[: length - 1] + "…"


def safe(text):
    """Text as markup. XML has no spelling at all for most control characters."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def shown(text, chart, sections):
    """The text of a file in Markdown, with the numbers in its picture of the chart."""
    alternative = re.sub(r"([\\`*_\[\]<>&!|])", r"\\\1", described(sections))
    picture = rf"!\[(?:\\.|[^\]\\])*\](\((?:[^()\s]*/)?{re.escape(chart.name)}\))"
    text, pictures = re.subn(picture, lambda found: f"![{alternative}]{found[1]}", text)
    if not pictures:
        raise ValueError(f"there is no picture of {chart.name}")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("document", type=Path, help="which has the tables")
    parser.add_argument("chart", type=Path, help="the SVG")
    parser.add_argument("shown_in", type=Path, nargs="*", help="files in Markdown that show it")
    parser.add_argument("--check", action="store_true", help="whether all is up to date")
    arguments = parser.parse_args()
    path = arguments.document
    try:
        tables = path.read_text(encoding="utf-8")
        sections = [report.read(tables, name) for name in SCENARIOS]
        wanted = {arguments.chart: drawn(sections)}
        for path in arguments.shown_in:
            wanted[path] = shown(path.read_text(encoding="utf-8"), arguments.chart, sections)
    except ValueError as problem:
        sys.exit(f"{path}: {problem}")
    for path, text in wanted.items():
        content = text.encode()
        if path.is_file() and path.read_bytes() == content:
            continue
        if arguments.check:
            command = " ".join(word for word in sys.argv if word != "--check")
            sys.exit(f"{path} is not what the tables give: run python3 {command}")
        path.write_bytes(content)


if __name__ == "__main__":
    main()
