"""Named queries: each `queries/*.sql` holds statements under `-- name --` headers."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_HEADER = re.compile(r"^-- ([a-z0-9_]+) --$", re.MULTILINE)


@cache
def queries(module: str) -> dict[str, LiteralString]:
    """Statements of `queries/{module}.sql` by name. Parameters are written `%(name)s`."""
    text = (files("waystock.store") / "queries" / f"{module}.sql").read_text("utf-8")
    parts = _HEADER.split(text)
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"queries/{module}.sql names a query twice")
    # Files of this package are as trustworthy as its code; nothing is ever put into them.
    return {
        name: cast(LiteralString, body.strip()) for name, body in zip(names, bodies, strict=True)
    }
