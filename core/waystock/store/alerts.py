"""Alert rows: what a fold says of its subjects replaces what was said of them before."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from waystock.alerts.types import ALERT_TYPES, alert_id
from waystock.store.connection import Database
from waystock.store.sql import queries


class AlertRow(NamedTuple):
    """An alert episode. Empty figures or orders leave those of an already known episode alone."""

    type: str
    subject: str
    opened_at: datetime
    cleared_at: datetime | None
    site: str | None
    figures: dict[str, Any]
    orders: Sequence[str]
    captured_at: datetime | None
    decided_at: datetime
    """When its beginning was certain: at `opened_at`, or for a fold's episode somewhat later."""


class Scope(NamedTuple):
    """What a fold has decided anew: what it said of this type and subject after `since`."""

    type: str
    subject: str
    since: datetime


def replace_episodes(
    database: Database, scopes: Iterable[Scope], episodes: Iterable[AlertRow]
) -> set[str]:
    """Make the alerts within `scopes` equal to `episodes`; ids of those that changed or went."""
    rows = [_row(episode) for episode in episodes]
    changed = _withdraw(database, sorted(set(scopes)), {row["alert_id"] for row in rows})
    if rows:
        put = database.execute(queries("alerts")["put"], {"episodes": Jsonb(rows)})
        changed |= {found[0] for found in put}
    return changed


def _withdraw(database: Database, scopes: list[Scope], ids: set[str]) -> set[str]:
    """Take back what was said within `scopes` and is not said again (`ids`)."""
    if not scopes:
        return set()
    parameters = {
        "types": [scope.type for scope in scopes],
        "subjects": [scope.subject for scope in scopes],
        "since": [scope.since for scope in scopes],
    }
    found = database.execute(queries("alerts")["episodes_since"], parameters)
    stale = {row[0] for row in found} - ids
    if stale:
        database.execute(queries("alerts")["remove"], {"alert_ids": sorted(stale)})
    reopened = database.execute(queries("alerts")["reopen"], parameters)
    return stale | {row[0] for row in reopened}


def open_before(
    database: Database, alert_type: str, since: dict[str, datetime]
) -> dict[str, datetime]:
    """Subject → when the episode opened that was still running at that subject's instant."""
    rows = database.execute(
        queries("alerts")["open_before"],
        {"type": alert_type, "subjects": list(since), "since": list(since.values())},
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def _row(episode: AlertRow) -> dict[str, Any]:
    row = episode._asdict()
    row["alert_id"] = alert_id(episode.type, episode.subject, episode.opened_at)
    row["severity"] = ALERT_TYPES[episode.type].severity
    row["orders"] = list(episode.orders)
    row["ended_decided_at"] = max(episode.decided_at, episode.cleared_at or episode.decided_at)
    return row
