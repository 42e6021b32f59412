"""The options of distil as keyword arguments. Written by `crates/python/options.py` from their declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ._arguments import Columns, Order, PathLike, Size


class ReadOptions(TypedDict, total=False):
    """What says how records are read."""

    #: Take all files of directories, not only those that look like JSON.
    all_files: bool
    #: Where in each value of a file its records are: /data/items, '/*' for all elements or members, '/{id}' for members whose names become a column.
    records: str
    #: Members around the records that each of them gets as a column: NAME=/PATH.
    add: str | Sequence[str]
    #: Give records the columns that directories name, as year=2024/month=05 does.
    hive: bool
    #: Give records the columns _file and _position, which say where they lie.
    origin: bool
    #: How values follow each other in a file: auto, lines, concatenated or array; /PATH is short for records (by default auto).
    shape: str
    #: Types of single columns; the others are inferred from all the data.
    types: Mapping[str, str]
    #: Strings that stand for null: 'price=NA|N/A,qty=-', or without a column 'NA'.
    null_text: str | Mapping[str, str | Sequence[str]]
    #: Take only values that are spelled as their declared type is: no numbers in strings.
    strict_types: bool
    #: All columns: FILE.json, or text such as 'id string, ts timestamp(ms)'.
    schema: PathLike | Mapping[str, str]
    #: Keep the types of an earlier output; other columns are inferred.
    schema_from: PathLike
    #: What to do with members outside a declared schema (by default error).
    extra_members: Literal["error", "ignore", "keep"]
    #: Mend what is invalid, and count it: nan, surrogates, duplicate-members.
    repair: str | Sequence[str]
    #: The largest record (by default 64MiB).
    max_record: Size
    #: Set bad records aside in this file and go on.
    quarantine: PathLike
    #: Fail if more records and ranges than this are bad: a count, or a share of records and bytes such as 0.1%.
    max_quarantined: int | str


class JobOptions(ReadOptions, total=False):
    """What a whole job is, beside its source, output and key."""

    #: Which copy survives: the first in this order, 'COL [as text] [asc|desc], ...'.
    order_by: Order
    #: Keep the first or the last record of each key (by default first).
    keep: Literal["first", "last"]
    #: What to do with records whose key is null (by default error).
    null_keys: Literal["error", "value"]
    #: What to do when records with the same key differ (by default keep).
    on_conflict: Literal["keep", "warn", "error"]
    #: Write the conflicting records that did not survive to this file.
    dropped: PathLike
    #: Columns to write, in this order; survivors are chosen before.
    columns: Columns
    #: Let input without a record be no error: the output has no rows.
    allow_empty: bool
    #: What to do if the output exists (by default error).
    mode: Literal["error", "overwrite"]
    #: Write one file or a directory of files (by default from the name of OUT).
    layout: Literal["file", "dir"]
    #: Most rows of a file in a directory.
    max_file_rows: int
    #: Most bytes of a file in a directory.
    max_file_bytes: Size
    #: Most rows of a row group.
    row_group_rows: int
    #: Compression: zstd[:LEVEL], snappy, lz4 or none (by default zstd).
    compression: str
    #: Columns that get a bloom filter.
    bloom: Columns
    #: Compute the digest of the output, for its footer and the report.
    digest: bool
    #: Write the report to this file, as a page for people if its name ends in .html, or to standard output with -.
    report: PathLike


class RunOptions(JobOptions, total=False):
    """A whole job, and what its run may use."""

    #: The backend that runs the job: a name of the configuration, an engine, or a URL (by default native).
    backend: str
    #: Threads of this process (by default the cores that the process may use).
    threads: int
    #: Memory of this process (by default 80 % of what the process may use).
    memory: Size
    #: Where temporary files go (by default the directory of the output).
    temp_dir: PathLike
