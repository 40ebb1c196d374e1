"""Which migrations this code ships, and the level of schema it knows. A migration is `pre` (it
adds; older code may run while it is applied and after it) or, by the suffix `.post.sql`, `post` (it
takes away; older code must be gone). Downstream: migrate; and every connection bears the level.
"""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, NamedTuple, cast

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+(\.post)?\.sql")
_APPLICATION = re.compile(r"waystock-(?:(\d{4})-)?.*")


class Migration(NamedTuple):
    """One numbered file."""

    number: int
    name: str
    is_post: bool
    statements: LiteralString


@cache
def shipped() -> tuple[Migration, ...]:
    """Every migration of this code, in order of number."""
    folder = files("waystock.store") / "migrations"
    found: list[Migration] = []
    for file in folder.iterdir():
        if match := _NAME.fullmatch(file.name):
            # Files of this package are as trustworthy as its code.
            text = cast(LiteralString, file.read_text("utf-8"))
            found.append(Migration(int(match[1]), file.name, match[2] is not None, text))
    return tuple(sorted(found))


def level() -> int:
    """The number of the newest migration this code knows."""
    return shipped()[-1].number


def application_name(process: str) -> str:
    """What a process is called in pg_stat_activity: `waystock-LEVEL-PROCESS`."""
    return f"waystock-{level():04d}-{process}"


def level_of(application: str) -> int | None:
    """The level in an application name; 0 for Waystock's before there were levels; None where it is
    not Waystock's.
    """
    match = _APPLICATION.fullmatch(application)
    return int(match[1] or 0) if match else None
