"""JSON records to clean Parquet, one record for every key.

>>> import distil, os, tempfile
>>> directory = tempfile.TemporaryDirectory()
>>> incoming, output = os.path.join(directory.name, "in"), os.path.join(directory.name, "events.parquet")
>>> answer = distil.generate(incoming, files=2, records=1000, duplicates=100)
>>> report = (
...     distil.read_json(incoming)
...     .drop_duplicates("ts", order_by="id as text, data")
...     .write_parquet(output, digest=True)
... )
>>> report.rows == answer.keys["ts"].rows
True
>>> distil.verify(output, report).complete
True
>>> directory.cleanup()

The functions of this module are the methods of a :class:`Session` that the configuration describes; it is made when
the first of them is called.
"""

from importlib import import_module

# `typing` has the name of this as well, and takes longer to import than the rest of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._arguments import Columns, Order, PathLike, Size, Source
    from ._frame import DataFrame
    from ._functions import (
        backends,
        digest,
        from_arrow,
        from_pandas,
        from_records,
        generate,
        plan,
        read_json,
        read_parquet,
        run,
        schema,
        verify,
    )
    from ._native import VERSION as __version__
    from ._progress import Progress, ShowProgress
    from ._report import Report
    from ._schema import Column, Schema
    from ._session import Answer, Backend, KeyAnswer, Plan, Session, Verified
    from ._table import Table
    from ._versions import show_versions
    from .errors import (
        AfterCommitError,
        BadRecord,
        BadRecordsError,
        Cancelled,
        ColumnNotFoundError,
        ConflictError,
        DistilError,
        EnvironmentFailure,
        Hint,
        InputError,
        InternalError,
        OutputExistsError,
        OutputLockedError,
        UsageError,
        VerificationError,
    )

__all__ = [
    "AfterCommitError",
    "Answer",
    "Backend",
    "BadRecord",
    "BadRecordsError",
    "Cancelled",
    "Column",
    "ColumnNotFoundError",
    "Columns",
    "ConflictError",
    "DataFrame",
    "DistilError",
    "EnvironmentFailure",
    "Hint",
    "InputError",
    "InternalError",
    "KeyAnswer",
    "Order",
    "OutputExistsError",
    "OutputLockedError",
    "PathLike",
    "Plan",
    "Progress",
    "Report",
    "Schema",
    "Session",
    "ShowProgress",
    "Size",
    "Source",
    "Table",
    "UsageError",
    "VerificationError",
    "Verified",
    "__version__",
    "backends",
    "digest",
    "from_arrow",
    "from_pandas",
    "from_records",
    "generate",
    "plan",
    "read_json",
    "read_parquet",
    "run",
    "schema",
    "show_versions",
    "verify",
]

#: Where each name is. It is loaded when it is asked for first: the command needs none of them.
_HOMES = {
    "Columns": "_arguments",
    "Order": "_arguments",
    "PathLike": "_arguments",
    "Size": "_arguments",
    "Source": "_arguments",
    "DataFrame": "_frame",
    "backends": "_functions",
    "digest": "_functions",
    "from_arrow": "_functions",
    "from_pandas": "_functions",
    "from_records": "_functions",
    "generate": "_functions",
    "plan": "_functions",
    "read_json": "_functions",
    "read_parquet": "_functions",
    "run": "_functions",
    "schema": "_functions",
    "verify": "_functions",
    "Progress": "_progress",
    "ShowProgress": "_progress",
    "Report": "_report",
    "Column": "_schema",
    "Schema": "_schema",
    "Answer": "_session",
    "Backend": "_session",
    "KeyAnswer": "_session",
    "Plan": "_session",
    "Session": "_session",
    "Verified": "_session",
    "Table": "_table",
    "show_versions": "_versions",
    "AfterCommitError": "errors",
    "BadRecord": "errors",
    "BadRecordsError": "errors",
    "Cancelled": "errors",
    "ColumnNotFoundError": "errors",
    "ConflictError": "errors",
    "DistilError": "errors",
    "EnvironmentFailure": "errors",
    "Hint": "errors",
    "InputError": "errors",
    "InternalError": "errors",
    "OutputExistsError": "errors",
    "OutputLockedError": "errors",
    "UsageError": "errors",
    "VerificationError": "errors",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = import_module("._native", __name__).VERSION
    elif name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
