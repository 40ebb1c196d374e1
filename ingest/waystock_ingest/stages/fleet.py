"""Third stage: fixes become trips, stops, visits, arrivals, progress with ETA, and alerts: a fold
over each vehicle's fixes in order of time. A fix that comes late folds its vehicle again from the
last checkpoint before it, so that any order of arrival ends in the same rows.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from waystock.fleet.fold import fold

from waystock.contract.events import Position
from waystock.fleet.rows import Derived, Episode, Fix
from waystock.fleet.state import VehicleState
from waystock.store.alerts import AlertRow, Scope, replace_episodes
from waystock.store.fleet import (
    NEVER,
    Folded,
    FoldResult,
    checkpoints_before,
    fixes_since,
    lock_vehicles,
    put_results,
)
from waystock.store.sql import queries
from waystock_ingest.stages.work import Work

CHECKPOINT_S = 900
"""A checkpoint is kept of each quarter of an hour: what a late fix costs is bounded by this."""
FUTURE_MAX = timedelta(days=1)
"""A fix further ahead of its capture than this is stored, marked by the gateway, and not folded."""


def derive_fleet(work: Work) -> None:
    """Fold the batch's fixes into their vehicles; write what changed."""
    fresh = _fixes_by_vehicle(work)
    if not fresh:
        return
    known = lock_vehicles(work.database, fresh)
    late = {
        vehicle: fixes[0].time
        for vehicle, fixes in fresh.items()
        if vehicle in known and fixes[0].time <= known[vehicle].at
    }
    start = {vehicle: known.get(vehicle, Folded(NEVER, VehicleState())) for vehicle in fresh}
    if late:
        before = checkpoints_before(work.database, late)
        start |= {vehicle: before.get(vehicle, Folded(NEVER, VehicleState())) for vehicle in late}
        fresh |= _stored_fixes(work, {vehicle: start[vehicle].at for vehicle in late})
    results = [
        _fold_vehicle(work, vehicle, start[vehicle], fixes, vehicle in late)
        for vehicle, fixes in sorted(fresh.items())
    ]
    put_results(work.database, results)
    work.dirty["transit"] |= fresh.keys()
    work.dirty["alerts"] |= _put_alerts(work, results)


def _fixes_by_vehicle(work: Work) -> dict[str, list[Fix]]:
    out: dict[str, list[tuple[datetime, str, Fix]]] = defaultdict(list)
    for reading in work.readings:
        event = reading.event
        if not isinstance(event, Position):
            continue
        device = work.master.devices.get(event.device)
        if device is None or device.vehicle is None:
            continue
        if event.time - event.captured_at > FUTURE_MAX:
            continue
        fix = Fix(
            event.time,
            event.lat,
            event.lon,
            event.speed_mps,
            event.course_deg_true,
            event.accuracy_m,
            event.captured_at,
            event.quality,
        )
        out[device.vehicle].append((event.time, event.device, fix))
    return {
        vehicle: [
            fix for *_, fix in sorted(rows, key=lambda row: (*row[:2], row[2].lat, row[2].lon))
        ]
        for vehicle, rows in out.items()
    }


def _stored_fixes(work: Work, since: dict[str, datetime]) -> dict[str, list[Fix]]:
    devices: dict[str, list[str]] = defaultdict(list)
    for device in work.master.devices.values():
        if device.vehicle in since:
            devices[device.vehicle].append(device.device)
    stored = fixes_since(
        work.database, {vehicle: (devices[vehicle], at) for vehicle, at in since.items()}
    )
    return {
        vehicle: [fix for fix in fixes if fix.time - fix.captured_at <= FUTURE_MAX]
        for vehicle, fixes in stored.items()
    }


def _fold_vehicle(
    work: Work, vehicle: str, start: Folded, fixes: list[Fix], again: bool
) -> FoldResult:
    """Fold one vehicle quarter by quarter, keeping the state at the end of each that is over."""
    folded = start
    checkpoints: list[Folded] = []
    derived: list[tuple[datetime, Derived]] = []
    for quarter in _quarters(fixes):
        if folded.at > NEVER and _quarter_end(folded.at) < _quarter_end(quarter[0].time):
            checkpoints.append(folded)
        state, rows = fold(vehicle, folded.state, quarter, work.plan)
        folded = Folded(quarter[-1].time, state)
        derived.append((_quarter_end(folded.at), rows))
    since = None
    if again:
        since = _quarter_end(start.at) if start.at > NEVER else NEVER
    return FoldResult(vehicle, since, folded, checkpoints, derived)


def _quarters(fixes: list[Fix]) -> list[list[Fix]]:
    out: dict[datetime, list[Fix]] = {}
    for fix in fixes:
        out.setdefault(_quarter_end(fix.time), []).append(fix)
    return list(out.values())


def _quarter_end(at: datetime) -> datetime:
    quarter = int(at.timestamp()) // CHECKPOINT_S + 1
    return datetime.fromtimestamp(quarter * CHECKPOINT_S, UTC)


def _put_alerts(work: Work, results: list[FoldResult]) -> set[str]:
    scopes: list[Scope] = []
    episodes: dict[tuple[str, str, datetime], tuple[datetime, Episode]] = {}
    for result in results:
        for decided_at, derived in result.derived:
            for episode in derived.episodes:
                key = (episode.type, episode.subject, episode.opened_at)
                episodes[key] = (episodes.get(key, (decided_at,))[0], episode)
        if result.since is not None:
            scopes.append(Scope("vehicle.off_route", result.vehicle, result.since))
            scopes += [
                Scope("shipment.late_predicted", one.shipment, result.since)
                for one in work.master.shipments
                if one.vehicle == result.vehicle
            ]
    if not scopes and not episodes:
        return set()
    orders = _orders(work, {one.shipment for _, one in episodes.values() if one.shipment})
    rows = [_alert(work, one, decided_at, orders) for decided_at, one in episodes.values()]
    return replace_episodes(work.database, scopes, rows)


def _orders(work: Work, shipments: set[str]) -> dict[str, list[str]]:
    rows = work.database.execute(
        queries("stock")["orders_of_shipments"], {"shipments": sorted(shipments)}
    )
    return {row[0]: row[1] for row in rows}


def _alert(
    work: Work, episode: Episode, decided_at: datetime, orders: dict[str, list[str]]
) -> AlertRow:
    figures = {**episode.figures, "vehicle": episode.vehicle}
    figures["plate"] = work.master.plates.get(episode.vehicle, episode.vehicle)
    return AlertRow(
        episode.type,
        episode.subject,
        episode.opened_at,
        episode.cleared_at,
        None,
        figures,
        orders.get(episode.shipment or "", ()),
        episode.captured_at,
        decided_at,
    )
