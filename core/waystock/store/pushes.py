"""Which alerts people are to be told of now: those that are news, grave enough and open, unless
their site is to be left alone at this hour; then afterwards, if they are open still. Upstream:
alert rows and the sites' quiet hours; downstream: the worker, which pushes them.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec

from waystock.contract.limits import WeekHours
from waystock.fleet.week_hours import holds_at
from waystock.store.connection import Database
from waystock.store.sql import queries

PUSHED = ("critical", "warning")
"""What is merely to be known is on the screens."""
NEWS_S = 900.0
"""What a reading from so long ago led to is recorded but not pushed."""
AGE_S_MAX = 7 * 86_400.0
"""Quiet hours are shorter."""
PUSHES_MAX = 500
"""Of one look."""


class DuePush(NamedTuple):
    """An alert to push, and the site whose people it is for; None: everybody's."""

    alert_id: str
    site: str | None


def due_pushes(database: Database, now: datetime) -> list[DuePush]:
    """Those whose time has come, the longest waiting first."""
    waiting = database.execute(
        queries("pushes")["waiting"],
        {"severities": list(PUSHED), "news_s": NEWS_S, "age_s_max": AGE_S_MAX},
    ).fetchall()
    if not waiting:
        return []
    quiet = _quiet_at(database, now)
    due = [
        DuePush(alert_id, site)
        for alert_id, site, severity in waiting
        if severity not in quiet.get(site, ())
    ]
    return due[:PUSHES_MAX]


def mark_pushed(database: Database, alert_ids: Collection[str]) -> None:
    """They were told."""
    database.execute(queries("pushes")["pushed"], {"alert_ids": sorted(alert_ids)})


def _quiet_at(database: Database, now: datetime) -> dict[str, Collection[str]]:
    """Sites to be left alone now, and the severities that keep still there."""
    return {
        site: severities
        for site, hours, severities, time_zone in database.execute(queries("pushes")["sites"])
        if holds_at(msgspec.convert(hours, WeekHours), time_zone, now)
    }
