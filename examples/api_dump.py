# ruff: noqa: B018

# %% [markdown]
# # A dump of an API
#
# You fetch a list page by page. The same record comes several times, because it changed while
# you were reading. You want a table with the newest version of each record.
#
# This notebook does it twice: from Python objects in memory, and from pages saved as files. It
# shows how types are found and how to declare them. It takes a few seconds and needs only
# `distil`. The API is a function below: there is no network.

# %%
import json
import os
import tempfile
import traceback
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import distil

directory = tempfile.TemporaryDirectory()
os.chdir(directory.name)

# %% [markdown]
# ## The API
#
# Three pages of products. Each page repeats some products of the page before, with a later
# `updated` and another price.

# %%
PAGES = 3
START = datetime(2026, 3, 1, 8, 0, tzinfo=timezone(timedelta(hours=1)))


def fetch(page: int) -> dict[str, Any]:
    """A page as a client library gives it: with Decimal and datetime."""
    first = page * 400
    items = [
        {
            "id": number,
            "name": f"product {number}",
            "price": Decimal(number % 97) + Decimal("0.10") * page,
            "updated": START + timedelta(days=page, seconds=number),
            "maker": {"country": ("CH", "DE", "FR")[number % 3], "vat": number % 2 == 0},
            "tags": ["new"] if number % 5 == 0 else [],
        }
        for number in range(first, first + 500)
    ]
    return {"page": page, "data": {"items": items}, "next": page + 1 if page + 1 < PAGES else None}


fetch(1)["data"]["items"][0]

# %% [markdown]
# ## From memory
#
# `from_records` takes dictionaries, from a list or from any iterator. Integers of any size,
# `Decimal`, `date`, `bytes` and `datetime` with a zone keep their values.

# %%
products = distil.from_records(
    item for page in range(PAGES) for item in fetch(page)["data"]["items"]
)
products.schema()

# %% [markdown]
# Types come from all the data, and no value is changed: `price` is `float64` because the
# shortest text of a double spells each of these values. A price is better declared, so that its
# type does not depend on the data:

# %%
products = distil.from_records(
    (item for page in range(PAGES) for item in fetch(page)["data"]["items"]),
    types={"price": "decimal(10,2)"},
)
newest = products.drop_duplicates("id", order_by="updated desc")
print(f"{products.count():,} records, {newest.count():,} products")
newest.head(3)

# %% [markdown]
# A `datetime` without a zone is not an instant, so it is refused. The error names the record and
# the path to the value:

# %%
try:
    distil.from_records([{"id": 1}, {"id": 2, "times": [datetime(2026, 3, 1, 8, 0)]}])
except distil.InputError as error:
    print("".join(traceback.format_exception_only(error)))

# %% [markdown]
# ## From pages saved as files
#
# Often the pages are saved first, as they come. In JSON a careful API sends prices as strings,
# and times as text.


# %%
def as_text(value: object) -> str:
    """How this API spells what JSON does not have."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


Path("pages").mkdir()
for page in range(PAGES):
    Path(f"pages/page-{page}.json").write_text(json.dumps(fetch(page), default=as_text))
Path("pages/page-0.json").read_text()[:230]

# %% [markdown]
# Now each file is one object, and the records are inside. If you forget to say where, the error
# knows the path:

# %%
try:
    distil.read_json("pages/").drop_duplicates("id").count()
except distil.ColumnNotFoundError as error:
    print("".join(traceback.format_exception_only(error)))

# %% [markdown]
# `records=` says where they are. `add=` gives each record something from the text around it, here
# the number of its page.

# %%
distil.read_json("pages/", records="/data/items", add="page=/page").schema()

# %% [markdown]
# Two columns are strings now. `price` is a number in a string. `updated` has an offset, and only
# instants that end with `Z` are found on their own. Declaring the types reads both, exactly: a
# value that does not fit is a bad record, never a rounded one.

# %%
pages = distil.read_json(
    "pages/",
    records="/data/items",
    add="page=/page",
    types={"price": "decimal(10,2)", "updated": "timestamp(ms)", "id": "int32"},
)
schema = pages.schema()
schema

# %% [markdown]
# `schema.types` is a dictionary that the argument `types` takes, and `str(schema)` is a text
# that the argument `schema` takes. Write either into your program, and the types stay.

# %%
str(schema)

# %% [markdown]
# ## The newest version of each
#
# `order_by="updated desc"` puts the newest first, and the first one stays. A step means what its
# position says: the columns are selected after the duplicates are gone, so they do not
# change which row stays. A dot leads into an object.

# %%
frame = (
    pages.drop_duplicates("id", order_by="updated desc")
    .select("id", "name", "price", "maker.country", "updated", "page")
    .rename({"updated": "updated_at"})
)
print(frame.explain())

# %%
report = frame.write_parquet("products.parquet", digest=True)
report

# %% [markdown]
# The 1,500 prices were strings and were read as decimals. The report counts such values, by column
# and with the first place.
#
# ## Read it back

# %%
back = distil.read_parquet("products.parquet")
back.head(5)

# %% [markdown]
# As Python values, prices are `Decimal` and instants are in UTC:

# %%
rows = back.collect().to_pylist()
rows[400]

# %% [markdown]
# Files and memory lead to the same prices:

# %%
from_memory = newest.select("id", "price").collect().to_pylist()
from_files = back.select("id", "price").collect().to_pylist()
assert from_memory == from_files
print(f"{len(from_files):,} products, the same prices from memory and from files")

# %% [markdown]
# The last cell removes the temporary directory.

# %%
os.chdir(Path(directory.name).parent)
directory.cleanup()
