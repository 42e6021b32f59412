"""What is compared with what."""

from dataclasses import dataclass

ALL_PEERS = ("ClickHouse", "Polars", "DataFusion", "DuckDB", "pandas")
COMPRESSED = ALL_PEERS[:-1]  # pandas is slow enough without, and does not read all of them


@dataclass(frozen=True)
class Variant:
    """distil on a data set; the first of a scenario is what all others are compared with."""

    data: str
    flags: tuple = ()
    name: str = "distil"


@dataclass(frozen=True)
class Scenario:
    title: str
    variants: tuple
    peers: tuple = ()  # on the data of the first variant
    same_bytes: bool = False  # the outputs of all variants are compared byte by byte
    by_default: bool = True


def against(title, data, peers=ALL_PEERS, **more):
    return Scenario(title, (Variant(data),), peers, **more)


SCENARIOS = {
    "documents": against("5.25 million records in 100 documents", "documents"),
    "lines": against("5.25 million records in 100 files of lines", "lines"),
    "gzip": against("The lines, gzip", "gzip", COMPRESSED),
    "zstd": against("The lines, zstd", "zstd", COMPRESSED, by_default=False),
    "wide": against("210,000 records of 100 members, lines", "wide"),
    "nested": against("1.05 million nested records, lines", "nested"),
    "uuid": against("2.1 million records, keys that are UUIDs, lines", "uuid"),
    "threads": Scenario(
        "5.25 million records in documents, on two threads and on one",
        (
            Variant("documents", ("--threads", "2"), "2 threads"),
            Variant("documents", ("--threads", "1"), "1 thread"),
        ),
        same_bytes=True,
    ),
    "documents-52m": against(
        "52.5 million records in 1,000 documents",
        "documents-52m",
        ("ClickHouse", "Polars"),  # the others take minutes a run, at the ratios of 5.25 million
        by_default=False,
    ),
    "growth": Scenario(
        "Ten times the records",
        (
            Variant("documents", name="5.25 million"),
            Variant("documents-52m", name="52.5 million"),
        ),
        by_default=False,
    ),
    "memory": Scenario(
        "52.5 million records in 512 MiB",
        (
            Variant("documents-52m", name="no limit given"),
            Variant("documents-52m", ("--memory", "512MiB"), "--memory 512MiB"),
        ),
        same_bytes=True,
        by_default=False,
    ),
    "files": Scenario(
        "52.5 million records in 1,000 documents, in one, in 100,000",
        (
            Variant("documents-52m", name="1,000 files"),
            Variant("one-file", name="one file"),
            Variant("100k-files", name="100,000 files"),
        ),
        by_default=False,
    ),
}
