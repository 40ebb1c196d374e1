"""Vehicles that are overdue, while they are: what the fold can only tell when the next fix comes.
Both tell the same episode, so whichever is first, the tables end alike. Upstream: the worker's
clock and `vehicle_state.silent_at`; downstream: alerts `gps.silent`.
"""

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from waystock.alerts.types import alert_id, severity_of
from waystock.contract.identifiers import iso_utc
from waystock.store.arrays import texts
from waystock.store.connection import Database
from waystock.store.sql import queries

SILENT = "gps.silent"
VEHICLES_MAX = 500
"""Of one look; the rest comes with the next."""
AGE_S_MAX = 30 * 86_400.0
"""A vehicle that has been silent for longer, such as one that was sold, raises nothing."""


def watch_silence(database: Database) -> set[str]:
    """Tell of vehicles that have fallen silent, withdraw what is no longer so; ids of the alerts
    that changed or went."""
    changed = withdraw_silence(database, None)
    parameters = {"age_s_max": AGE_S_MAX, "vehicles_max": VEHICLES_MAX}
    for row in database.execute(queries("silence")["overdue"], parameters).fetchall():
        vehicle, fix_time, lat, lon, limit_s, plate, home_site, shipment_site, time_zone = row
        figures = {
            "vehicle": vehicle,
            "plate": plate,
            "last_seen": iso_utc(fix_time),
            "limit_s": round(limit_s, 1),
            "lat": round(lat, 6),
            "lon": round(lon, 6),
            "time_zone": time_zone,
        }
        raised = database.execute(
            queries("silence")["raise"],
            {
                "alert_id": alert_id(SILENT, vehicle, fix_time),
                "severity": severity_of(SILENT),
                "site": home_site or shipment_site,
                "subject": vehicle,
                "opened_at": fix_time,
                "figures": Jsonb(figures),
            },
        ).fetchone()
        if raised:
            changed.add(raised[0])
    return changed


def withdraw_silence(database: Database, vehicles: Sequence[str] | None) -> set[str]:
    """Take back what was told of these vehicles, or of all, if they have been heard of since and
    the fold found no silence; ids of the alerts that went."""
    wanted = None if vehicles is None else texts(vehicles)
    rows = database.execute(queries("silence")["heard_again"], {"vehicles": wanted})
    return {row[0] for row in rows}
