"""Rows as the tools of others have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


class Exports:
    """What gives its rows by Arrow can give them to these."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise NotImplementedError

    def to_arrow(self) -> pyarrow.Table:
        """The rows as a table of pyarrow."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self, *, dtype_backend: str = "pyarrow") -> pandas.DataFrame:
        """The rows as a DataFrame of pandas, with the columns of Arrow: those of NumPy (``"numpy"``) turn an
        integer beside a null into the nearest double.
        """
        if dtype_backend not in ("pyarrow", "numpy"):
            raise ValueError(f'dtype_backend is "pyarrow" or "numpy", not {dtype_backend!r}')
        import pandas

        types = pandas.ArrowDtype if dtype_backend == "pyarrow" else None
        return self.to_arrow().to_pandas(types_mapper=types)

    def to_polars(self) -> polars.DataFrame:
        """The rows as a DataFrame of Polars."""
        import polars

        return polars.DataFrame(self)
