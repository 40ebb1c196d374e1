"""Third stage: fixes become trips, stops, visits, arrivals, progress with ETA, and alerts: a fold
over each vehicle's fixes in order of time. A fix that comes late folds its vehicle again from the
last checkpoint before it, so that any order of arrival ends in the same rows.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from waystock.contract.events import Position
from waystock.fleet.fold import Track, fold_fleet
from waystock.fleet.rows import Episode, Fix
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
from waystock.store.stock_alerts import orders_of_shipments
from waystock_ingest.stages.work import Work

CHECKPOINT_S = 900
"""A checkpoint is kept of each quarter of an hour: what a late fix costs is bounded by this."""
FUTURE_MAX = timedelta(days=1)
"""A fix further ahead of its capture than this is stored, marked by the gateway, and not folded."""


class _Decided(NamedTuple):
    episode: Episode
    decided_at: datetime
    ended_decided_at: datetime


def derive_fleet(work: Work) -> None:
    """Fold the batch's fixes into their vehicles; write what changed."""
    fresh = _fixes_by_vehicle(work)
    if not fresh:
        return
    known = lock_vehicles(work.database, fresh)
    # Back to a checkpoint of an earlier quarter: what a quarter decided falls as a whole.
    late = {
        vehicle: _quarter_end(fixes[0].time) - timedelta(seconds=CHECKPOINT_S)
        for vehicle, fixes in fresh.items()
        if vehicle in known and fixes[0].time <= known[vehicle].at
    }
    start = {vehicle: known.get(vehicle, Folded(NEVER, VehicleState())) for vehicle in fresh}
    if late:
        before = checkpoints_before(work.database, late)
        start |= {vehicle: before.get(vehicle, Folded(NEVER, VehicleState())) for vehicle in late}
        fresh |= _stored_fixes(work, {vehicle: start[vehicle].at for vehicle in late})
    results = _fold_all(work, start, fresh, late)
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


def _fold_all(
    work: Work, start: dict[str, Folded], fixes: dict[str, list[Fix]], again: Collection[str]
) -> list[FoldResult]:
    """Fold quarter by quarter, all vehicles together, keeping each state whose quarter is over."""
    quarters = {vehicle: _quarters(fixes[vehicle]) for vehicle in sorted(fixes)}
    results = {
        vehicle: FoldResult(
            vehicle,
            _overruled(start[vehicle]) if vehicle in again else None,
            start[vehicle],
            [],
            [],
        )
        for vehicle in quarters
    }
    for turn in range(max(map(len, quarters.values()))):
        running = {name: parts[turn] for name, parts in quarters.items() if turn < len(parts)}
        tracks = [
            Track(vehicle, results[vehicle].folded.state, part) for vehicle, part in running.items()
        ]
        for (vehicle, part), (state, rows) in zip(
            running.items(), fold_fleet(tracks, work.plan), strict=True
        ):
            result = results[vehicle]
            end = _quarter_end(part[-1].time)
            if result.folded.at > NEVER and _quarter_end(result.folded.at) < end:
                result.checkpoints.append(result.folded)
            result.derived.append((end, rows))
            results[vehicle] = result._replace(folded=Folded(part[-1].time, state))
    return list(results.values())


def _overruled(start: Folded) -> datetime:
    """What was decided after this instant is decided again."""
    return _quarter_end(start.at) if start.at > NEVER else NEVER


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
    episodes: dict[tuple[str, str, datetime], _Decided] = {}
    for result in results:
        for decided_at, derived in result.derived:
            for episode in derived.episodes:
                key = (episode.type, episode.subject, episode.opened_at)
                episodes[key] = _merged(
                    episodes.get(key), _Decided(episode, decided_at, decided_at)
                )
        if result.since is not None:
            scopes.append(Scope("vehicle.off_route", result.vehicle, result.since))
            scopes += [
                Scope("shipment.late_predicted", one.shipment, result.since)
                for one in work.master.shipments
                if one.vehicle == result.vehicle
            ]
    if not scopes and not episodes:
        return set()
    shipments = {one.episode.shipment or "" for one in episodes.values()}
    orders = orders_of_shipments(work.database, shipments)
    rows = [_alert(work, one, orders) for one in episodes.values()]
    return replace_episodes(work.database, scopes, rows)


def _merged(earlier: _Decided | None, later: _Decided) -> _Decided:
    """What was said last, with when its beginning and its end were said first."""
    if earlier is None:
        return later
    same_end = earlier.episode.cleared_at == later.episode.cleared_at
    ended_at = earlier.ended_decided_at if same_end else later.ended_decided_at
    return later._replace(decided_at=earlier.decided_at, ended_decided_at=ended_at)


def _alert(work: Work, decided: _Decided, orders: dict[str, list[str]]) -> AlertRow:
    episode = decided.episode
    figures = {**episode.figures, "vehicle": episode.vehicle}
    names = work.master.names
    figures["plate"] = names.plates.get(episode.vehicle, episode.vehicle)
    site = names.site_by_shipment.get(episode.shipment or "")
    figures["time_zone"] = names.time_zones.get(site or "", "UTC")
    return AlertRow(
        episode.type,
        episode.subject,
        episode.opened_at,
        episode.cleared_at,
        site,
        figures,
        orders.get(episode.shipment or "", ()),
        episode.captured_at,
        decided.decided_at,
        decided.ended_decided_at if episode.cleared_at is not None else None,
    )
