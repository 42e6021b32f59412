"""What runs on executors. It is sent to them by its name: they need the package."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

#: The columns of what tasks hand on. Payloads are large: a row of Spark holds thousands of rows.
PAYLOADS = "kind int, slot int, part int, payload binary"
#: What the exception of a task has its error between, as JSON.
BEGIN, END = "<distil>", "</distil>"
#: The kind of payloads with rows.
ROWS = 0

Batches = Iterator["pyarrow.RecordBatch"]


def require_version(driver: str) -> None:
    """Looks before native code is called, whose functions are those of its version."""
    from .. import _native

    if driver != _native.VERSION:
        error = {
            "fault": "environment",
            "code": "environment",
            "what": f"the driver runs distil {driver}, this process distil {_native.VERSION}",
            "hints": [{"text": "install the same version of distil on all nodes"}],
        }
        raise TaskError(json.dumps(error))


class TaskError(RuntimeError):
    """The error of a task, in a form that comes through the stack traces of Spark."""

    def __init__(self, error: str) -> None:
        told = json.loads(error)
        told.setdefault("details", []).append(f"the task ran on {host()}")
        super().__init__(f"{BEGIN}{json.dumps(told)}{END}")


def decoding(job: bytes, slots: Sequence[int], version: str) -> Callable[[Batches], Batches]:
    """A function for ``mapInArrow`` over the numbers of tasks that decode. Rows of the part `n` are sent to the
    partition of ``slots[n]``, and all else to one that follows from the task: what the driver is told may go the way
    of rows.
    """

    def decode(batches: Batches) -> Batches:
        from .. import _native

        know_yarn()
        require_version(version)
        for batch in batches:
            for task in batch.column(0).to_pylist():
                try:
                    for kind, part, payload in _native.decode_task(job, task, host()):
                        slot = slots[part if kind == ROWS else task % len(slots)]
                        yield _batch([(kind, slot, part, payload)])
                except RuntimeError as error:
                    raise TaskError(str(error)) from None

    return decode


def writing(job: bytes, version: str) -> Callable[[Batches], Batches]:
    """A function for ``mapInArrow`` over the payloads of some parts."""

    def write(batches: Batches) -> Batches:
        from .. import _native

        know_yarn()
        require_version(version)
        try:
            task = _native.Writing(job, uuid.uuid4().hex, temporary_directory())
            for batch in batches:
                columns = batch.to_pydict()
                for payload in zip(
                    *(columns[name] for name in ("kind", "part", "payload")), strict=True
                ):
                    task.push(*payload)
            done = task.finish(host())
        except RuntimeError as error:
            raise TaskError(str(error)) from None
        yield _batch([(kind, 0, part, payload) for kind, part, payload in done])

    return write


def know_yarn() -> None:
    """In a container of YARN: works as the user of the application, whoever runs the container, and knows the configuration
    of Hadoop that came with it, where the node has none. Java is told both otherwise.
    """
    if "CONTAINER_ID" not in os.environ:
        return
    if user := os.environ.get("SPARK_USER"):
        os.environ.setdefault("HADOOP_USER_NAME", user)
    shipped = os.path.join(os.environ.get("PWD", "."), "__spark_conf__", "__hadoop_conf__")
    if os.path.isdir(shipped):
        os.environ.setdefault("HADOOP_CONF_DIR", shipped)


def host() -> str:
    """The name of this node, as YARN and Spark call it where they were told to call it otherwise than it does itself."""
    names = ("NM_HOST", "SPARK_LOCAL_HOSTNAME", "SPARK_LOCAL_IP")
    return next(filter(None, map(os.environ.get, names)), None) or socket.gethostname()


def temporary_directory() -> str:
    """Where Spark has its own temporary files, on the disks that are meant for them."""
    given = os.environ.get("LOCAL_DIRS") or os.environ.get("SPARK_LOCAL_DIRS") or ""
    return next(filter(os.path.isdir, given.split(",")), None) or tempfile.gettempdir()


def versions(as_arrow: bool) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """A function for ``mapInArrow``, or else for ``mapPartitions``, that gives the host and the version of distil of
    the process that runs it. It is sent itself, and not its name: there may be no package to find that in.
    """

    def ask(rows: Iterator[Any]) -> Iterator[Any]:
        try:
            from distil import _native
            from distil.spark import _tasks

            found = _tasks.host(), _native.VERSION
        except ImportError:
            import os
            import socket

            names = ("NM_HOST", "SPARK_LOCAL_IP")
            found = next(filter(None, map(os.environ.get, names)), socket.gethostname()), ""
        for _ in rows:
            if as_arrow:
                import pyarrow

                yield pyarrow.RecordBatch.from_pydict({"host": found[:1], "version": found[1:]})
            else:
                yield found

    return ask


def _batch(payloads: Sequence[tuple[int, int, int, bytes]]) -> pyarrow.RecordBatch:
    import pyarrow

    kinds, slots, parts, contents = zip(*payloads, strict=True) if payloads else ((), (), (), ())
    return pyarrow.RecordBatch.from_arrays(
        [
            pyarrow.array(kinds, pyarrow.int32()),
            pyarrow.array(slots, pyarrow.int32()),
            pyarrow.array(parts, pyarrow.int32()),
            pyarrow.array(contents, pyarrow.binary()),
        ],
        names=["kind", "slot", "part", "payload"],
    )
