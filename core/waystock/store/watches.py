"""Alerts that the worker raises by looking at the store: gateways that have fallen silent, readings
that had to be put aside, dead letters that wait for a person, vehicles at another one's door,
shipments that did not leave, left out a stop, or did not come. An episode lasts as long as its
condition holds, and shows its newest figures.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from waystock.alerts.types import alert_id, severity_of
from waystock.contract.acks import STATUS_LEASE_S
from waystock.store.connection import Database
from waystock.store.sql import queries

WATCHED = (
    "gateway.silent",
    "ingest.dead_letter",
    "system.dead_letters",
    "dock.wrong_vehicle",
    "shipment.late_departure",
    "shipment.stop_missed",
    "shipment.no_show",
)
DEPART_GRACE_S = 600.0
"""A shipment may leave so much later than planned."""
NO_SHOW_S = 3_600.0
"""A receiver has waited in vain so long after the window's end."""
UNKNOWN_S = 1_800.0
"""A vehicle that was not heard of for so long may be anywhere."""
DEAD_LETTER_WINDOW_S = 900.0
"""A gateway's dead letters are an open alert until none has come for this long."""
SUBJECTS_MAX = 200
"""So that a flood of foreign topics makes no flood of alerts."""
LETTERS_COUNTED_MAX = 10_000
"""More are not counted: looking must stay cheap in a flood."""


class _Condition(NamedTuple):
    subject: str
    site: str | None
    opened_at: datetime
    figures: dict[str, Any]
    orders: Sequence[str] = ()


def watch(database: Database, alert_type: str) -> list[str]:
    """Raise and clear the alerts of one of WATCHED; the ids of those that changed."""
    holding = {condition.subject: condition for condition in _conditions(database, alert_type)}
    open_now: dict[str, str] = dict(
        database.execute(queries("watches")["open"], {"type": alert_type}).fetchall()
    )
    cleared = [open_now[subject] for subject in open_now.keys() - holding.keys()]
    database.execute(queries("watches")["clear"], {"alert_ids": cleared})
    raised = [
        _raise(database, alert_type, condition)
        for subject, condition in holding.items()
        if subject not in open_now
    ]
    refreshed = [
        name
        for subject, condition in holding.items()
        if subject in open_now and _refresh(database, name := open_now[subject], condition)
    ]
    return cleared + raised + refreshed


def _conditions(database: Database, alert_type: str) -> list[_Condition]:
    limits = {
        "lease_s": STATUS_LEASE_S,
        "window_s": DEAD_LETTER_WINDOW_S,
        "subjects_max": SUBJECTS_MAX,
        "counted_max": LETTERS_COUNTED_MAX,
        "grace_s": DEPART_GRACE_S,
        "no_show_s": NO_SHOW_S,
        "unknown_s": UNKNOWN_S,
    }
    query = queries("watches")[alert_type.replace(".", "_")]
    rows = database.execute(query, limits).fetchall()
    return [_Condition(*row) for row in rows]


def _raise(database: Database, alert_type: str, condition: _Condition) -> str:
    name = alert_id(alert_type, condition.subject, condition.opened_at)
    database.execute(
        queries("watches")["raise"],
        {
            "alert_id": name,
            "type": alert_type,
            "severity": severity_of(alert_type),
            "site": condition.site,
            "subject": condition.subject,
            "opened_at": condition.opened_at,
            "figures": Jsonb(condition.figures),
            "orders": list(condition.orders),
        },
    )
    return name


def _refresh(database: Database, name: str, condition: _Condition) -> bool:
    """Whether the open alert's figures had to be changed."""
    parameters = {"alert_id": name, "figures": Jsonb(condition.figures)}
    return database.execute(queries("watches")["refresh"], parameters).rowcount > 0
