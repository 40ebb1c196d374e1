"""Which vehicles have to be folded again as an assignment of a tracker was corrected. Upstream:
triggers of the table `assignment`; downstream: ingest, which holds the assignments meanwhile.
"""

from typing import Any, NamedTuple

from waystock.fleet.plan import instant_us
from waystock.store.connection import Database
from waystock.store.sql import queries


class Refold(NamedTuple):
    """One vehicle and what changed for it."""

    vehicle: str
    devices: list[str]
    """Those that came to it or went from it."""
    since_us: int
    """The earliest of these changes; 0 (1970) where it reaches back for ever."""


def is_due(database: Database) -> bool:
    """Whether any vehicle waits."""
    row = database.execute(queries("refolds")["is_due"]).fetchone()
    return bool(row and row[0])


def take(database: Database) -> Refold | None:
    """The vehicle that has waited longest, locked until the transaction ends."""
    rows: list[tuple[Any, ...]] = database.execute(queries("refolds")["take"]).fetchall()
    if not rows:
        return None
    return Refold(
        rows[0][0],
        sorted({row[1] for row in rows}),
        min(instant_us(row[2]) for row in rows),
    )


def done(database: Database, vehicle: str) -> None:
    """It is folded again."""
    database.execute(queries("refolds")["done"], {"vehicle": vehicle})


def fail(database: Database, vehicle: str, reason: str) -> None:
    """It can't be folded again; what was asked is kept with the reason and not tried any more."""
    database.execute(queries("refolds")["fail"], {"vehicle": vehicle, "reason": reason})
