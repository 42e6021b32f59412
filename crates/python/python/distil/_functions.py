"""The functions of the module: the methods of a session that the configuration describes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Unpack

from ._arguments import Columns, PathLike, Source
from ._progress import ShowProgress
from ._report import Report
from ._session import Plan, Session

if TYPE_CHECKING:
    from ._options import RunOptions

_P = ParamSpec("_P")
_R = TypeVar("_R")


@functools.cache
def default_session() -> Session:
    """The session of the functions, made when the first of them is called."""
    return Session()


def _of_session(method: Callable[Concatenate[Session, _P], _R]) -> Callable[_P, _R]:
    """The function that a method is on the session of the functions."""

    @functools.wraps(method)
    def function(*arguments: _P.args, **options: _P.kwargs) -> _R:
        return method(default_session(), *arguments, **options)

    signature = inspect.signature(method)
    parameters = list(signature.parameters.values())[1:]
    function.__dict__.pop("__wrapped__")
    function.__dict__["__signature__"] = signature.replace(parameters=parameters)
    return function


read_json = _of_session(Session.read_json)
read_parquet = _of_session(Session.read_parquet)
from_arrow = _of_session(Session.from_arrow)
from_pandas = _of_session(Session.from_pandas)
from_records = _of_session(Session.from_records)
plan = _of_session(Session.plan)
schema = _of_session(Session.schema)
generate = _of_session(Session.generate)
verify = _of_session(Session.verify)
digest = _of_session(Session.digest)
backends = _of_session(Session.backends)


def run(
    source: Source | None = None,
    output: PathLike | None = None,
    *,
    key: Columns | None = None,
    job: str | None = None,
    plan: Plan | Mapping[str, Any] | PathLike | None = None,
    dry_run: bool = False,
    config: PathLike | Mapping[str, Any] | None = None,
    progress: ShowProgress = "auto",
    **options: Unpack[RunOptions],
) -> Report:
    """Runs a whole job, as ``distil run`` does: what is given here, then what the ``job`` of the configuration says;
    or a ``plan``, which takes nothing beside it but what says how it is run. All options of ``docs/configuration.md``
    are arguments, by the same names.
    """
    told: dict[str, Any] = dict(options)
    resources = {
        name: told.pop(name, None) for name in ("backend", "threads", "memory", "temp_dir")
    }
    session = Session(config=config, progress=progress, **resources)
    return session.run(source, output, key=key, job=job, plan=plan, dry_run=dry_run, **told)
