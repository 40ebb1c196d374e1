"""Alert rows: what a fold says of its subjects replaces what was said of them before."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from waystock.alerts.types import alert_id, severity_of
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
    ended_decided_at: datetime | None
    """When its end was certain; None while it runs."""


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
    said = {row[0] for row in found}
    stale, again = said - ids, said & ids
    if again:
        database.execute(queries("alerts")["doubt"], {"alert_ids": sorted(again)})
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
    row["severity"] = severity_of(episode.type)
    row["orders"] = list(episode.orders)
    return row
