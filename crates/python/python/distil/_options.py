"""The options of distil as keyword arguments; None is not to give one. Written by `crates/python/options.py` from
their declarations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ._arguments import Columns, Order, PathLike, Size


class ReadOptions(TypedDict, total=False):
    """What says how records are read."""

    #: Take all files of directories, not only those that look like JSON.
    all_files: bool | None
    #: Where in each value of a file its records are: /data/items, '/*' for all elements or members, '/{id}' for members whose names become a column.
    records: str | None
    #: Members around the records that each of them gets as a column: NAME=/PATH.
    add: str | Sequence[str] | None
    #: Give records the columns that directories name, as year=2024/month=05 does.
    hive: bool | None
    #: Give records the columns _file and _position, which say where they lie.
    origin: bool | None
    #: How values follow each other in a file: auto, lines, concatenated or array; /PATH is short for records (by default auto).
    shape: str | None
    #: Types of single columns; the others are inferred from all the data.
    types: Mapping[str, str] | None
    #: Strings that stand for null: 'price=NA|N/A,qty=-', or without a column 'NA'.
    null_text: str | Mapping[str, str | Sequence[str]] | None
    #: Take only values that are spelled as their declared type is: no numbers in strings.
    strict_types: bool | None
    #: All columns: FILE.json, or text such as 'id string, ts timestamp(ms)'.
    schema: PathLike | Mapping[str, str] | None
    #: Keep the types of an earlier output; other columns are inferred.
    schema_from: PathLike | None
    #: What to do with members outside a declared schema (by default error).
    extra_members: Literal["error", "ignore", "keep"] | None
    #: Mend what is invalid, and count it: nan, surrogates, duplicate-members.
    repair: str | Sequence[str] | None
    #: The largest record (by default 64MiB).
    max_record: Size | None
    #: Set bad records aside in this file and go on.
    quarantine: PathLike | None
    #: Fail if more records and ranges than this are bad: a count, or a share of records and bytes such as 0.1%.
    max_quarantined: int | str | None


class JobOptions(ReadOptions, total=False):
    """What a whole job is, beside its source, output and key."""

    #: Which copy survives: the first in this order, 'COL [as text] [asc|desc], ...'.
    order_by: Order | None
    #: Keep the first or the last record of each key (by default first).
    keep: Literal["first", "last"] | None
    #: What to do with records whose key is null (by default error).
    null_keys: Literal["error", "value"] | None
    #: What to do when records with the same key differ (by default keep).
    on_conflict: Literal["keep", "warn", "error"] | None
    #: Write the conflicting records that did not survive to this file.
    dropped: PathLike | None
    #: Columns to write, in this order; survivors are chosen before.
    columns: Columns | None
    #: Let input without a record be no error: the output has no rows.
    allow_empty: bool | None
    #: What to do if the output exists (by default error).
    mode: Literal["error", "overwrite"] | None
    #: Write one file or a directory of files (by default from the name of OUT).
    layout: Literal["file", "dir"] | None
    #: Most rows of a file in a directory.
    max_file_rows: int | None
    #: Most bytes of a file in a directory.
    max_file_bytes: Size | None
    #: Most rows of a row group.
    row_group_rows: int | None
    #: Compression: zstd[:LEVEL], snappy, lz4 or none (by default zstd).
    compression: str | None
    #: Columns that get a bloom filter.
    bloom: Columns | None
    #: Compute the digest of the output, for its footer and the report.
    digest: bool | None
    #: Write the report to this file, as a page for people if its name ends in .html, or to standard output with -.
    report: PathLike | None


class RunOptions(JobOptions, total=False):
    """A whole job, and what its run may use."""

    #: The backend that runs the job: a name of the configuration, an engine, or a URL (by default native).
    backend: str | None
    #: Threads of this process (by default the cores that the process may use).
    threads: int | None
    #: Memory of this process (by default 80 % of what the process may use).
    memory: Size | None
    #: Where temporary files go (by default the directory of the output).
    temp_dir: PathLike | None
