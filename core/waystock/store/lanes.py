"""What finished legs teach, in the store: legs that have become known or changed are looked at in
their stored fixes, and their lanes get new curves; now and then, what hours of the week and what
outcomes of predictions say of all. Upstream: the queue of arrivals (`leg_due`), which a trigger
fills; downstream: `lane_book`, which ingest reads. The worker runs it, one at a time.

A leg's passage is a function of its stored arrivals and fixes, kept under the arrival's name: a fix
that comes late or twice makes the passage anew and counts nothing twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from waystock.fleet.fences import FenceIndex
from waystock.fleet.fixes import Floats, Int64s
from waystock.fleet.lane_curve import HORIZON_ENDS_S
from waystock.fleet.lane_learning import (
    NO_NETWORK,
    PASSAGES_MAX,
    Leg,
    Network,
    Passage,
    Passages,
    learn_curve,
    network_of,
    passage_of,
)
from waystock.fleet.placement import PlacedShipment, PlacedStop, place_shipments
from waystock.fleet.plan import instant_us
from waystock.fleet.records import Records
from waystock.fleet.settings import FleetSettings
from waystock.store.arrays import instants, numbers, read_instants, read_numbers, texts
from waystock.store.connection import Database
from waystock.store.directory import as_shipments
from waystock.store.fences import as_fence
from waystock.store.sql import queries

LEGS_AT_ONCE = 20
"""Legs whose fixes are in memory together."""
FIXED_LEAD_S = 10.0
"""A version is in force so long after it was written: by then every process has read it."""
VERSIONS_KEPT_S = 3 * 86_400.0
NETWORK_OLD_S = 3_600.0
RANGES_OLD_S = 3_600.0
OUTCOMES_MIN = 30
"""Of a model and horizon; fewer say nothing of a tenth of them."""


class Learned(NamedTuple):
    """What one run did."""

    due: int
    """Arrivals taken off the queue; 0: it was empty."""
    passages: int
    curves: int
    left_out: Mapping[str, int]
    """Legs that teach nothing, by reason."""


class _DueLeg(NamedTuple):
    shipment: str
    seq: int
    vehicle: str
    arrived_at: datetime
    seq_before: int | None
    begun_at: datetime
    is_whole: bool


class _Way(NamedTuple):
    """Where a leg lies, by the plan."""

    due: _DueLeg
    placed: PlacedShipment
    stop: PlacedStop
    from_code: str

    @property
    def leg(self) -> Leg:
        due = self.due
        return Leg(
            self.stop.leg_from_m,
            self.stop.along_m,
            instant_us(due.begun_at),
            instant_us(due.arrived_at),
            due.seq_before is None,
        )


class _Track(NamedTuple):
    time_us: Int64s
    lat: Floats
    lon: Floats


def learn_due_legs(database: Database, limit: int, settings: FleetSettings) -> Learned:
    """Learn from at most `limit` arrivals of the queue, oldest first, in the caller's transaction;
    nobody else may run it meanwhile."""
    due = database.execute(queries("lanes")["due"], {"limit": limit}).fetchall()
    if not due:
        return Learned(0, 0, 0, {})
    legs = sorted({(row[1], row[2]) for row in due})
    left_out: Counter[str] = Counter()
    ways = _ways(database, legs, left_out)
    found: list[tuple[_Way, Passage]] = []
    for at in range(0, len(ways), LEGS_AT_ONCE):
        found += _passages(database, ways[at : at + LEGS_AT_ONCE], left_out, settings)
    taught = _replace_passages(database, legs, ways, found)
    curves = _put_curves(database, sorted(taught), settings)
    database.execute(queries("lanes")["not_due"], {"ids": [row[0] for row in due]})
    return Learned(len(due), len(found), curves, left_out)


def _ways(
    database: Database, legs: Sequence[tuple[str, int]], left_out: Counter[str]
) -> list[_Way]:
    """The legs that end or begin with these arrivals, on their routes."""
    names = {"shipments": [leg[0] for leg in legs], "seqs": [leg[1] for leg in legs]}
    due = [_DueLeg(*row) for row in database.execute(queries("lanes")["legs"], names)]
    placed = _placed(database, sorted({leg.shipment for leg in due}))
    ways: list[_Way] = []
    for leg in due:
        shipment = placed[leg.shipment]
        from_code = f"site {shipment.shipment.from_site}"
        for stop in shipment.stops:
            if stop.stop.seq == leg.seq:
                if not leg.is_whole:
                    left_out["a stop before was left out"] += 1
                elif stop.lane == 0:
                    left_out["no route"] += 1
                else:
                    ways.append(_Way(leg, shipment, stop, from_code))
            from_code = stop.stop.fence
    return ways


def _placed(database: Database, shipments: Sequence[str]) -> dict[str, PlacedShipment]:
    names = {"shipments": list(shipments)}
    rows = [
        database.execute(queries("lanes")[name], names).fetchall()
        for name in ("shipments", "stops", "fences")
    ]
    fences = FenceIndex([as_fence(row) for row in rows[2]], 0.0)
    placed = place_shipments(as_shipments(rows[0], rows[1]), fences)
    return {one.shipment.shipment: one for one in placed}


def _passages(
    database: Database, ways: Sequence[_Way], left_out: Counter[str], settings: FleetSettings
) -> list[tuple[_Way, Passage]]:
    tracks = _tracks(database, ways, settings)
    found: list[tuple[_Way, Passage]] = []
    for place, way in enumerate(ways):
        if place not in tracks:
            left_out["no fix"] += 1
            continue
        made = passage_of(way.placed.vertices, way.leg, *tracks[place], settings)
        if isinstance(made, str):
            left_out[made] += 1
        else:
            found.append((way, made))
    return found


def _tracks(database: Database, ways: Sequence[_Way], settings: FleetSettings) -> dict[int, _Track]:
    """Each leg's fixes in order of time, one of an instant, by the leg's place."""
    with database.cursor(binary=True) as cursor:
        cursor.execute(
            queries("lanes")["fixes"],
            {
                "places": list(range(len(ways))),
                "vehicles": [way.due.vehicle for way in ways],
                "since": [way.due.begun_at for way in ways],
                "until": [way.due.arrived_at for way in ways],
                "first": min(way.due.begun_at for way in ways),
                "last": max(way.due.arrived_at for way in ways),
                "accuracy_m_max": settings.accuracy_m_max,
            },
        )
        result = cursor.pgresult
        assert result is not None
        rows = [
            [result.get_value(row, column) or b"" for column in range(4)]
            for row in range(result.ntuples)
        ]
    tracks: dict[int, _Track] = {}
    for place, time, lat, lon in rows:
        time_us = read_instants(time)
        is_first = np.diff(time_us, prepend=time_us[0] - 1) > 0
        columns = (time_us, read_numbers(lat, ">f8"), read_numbers(lon, ">f8"))
        tracks[int.from_bytes(place)] = _Track._make(column[is_first] for column in columns)
    return tracks


def _replace_passages(
    database: Database,
    legs: Sequence[tuple[str, int]],
    ways: Sequence[_Way],
    found: Sequence[tuple[_Way, Passage]],
) -> set[int]:
    """What was known of these legs goes, what is known now comes; the lanes they teach."""
    gone = sorted({*legs, *((way.due.shipment, way.due.seq) for way in ways)})
    names = {"shipments": [leg[0] for leg in gone], "seqs": [leg[1] for leg in gone]}
    taught = {row[0] for row in database.execute(queries("lanes")["forget_passages"], names)}
    if not found:
        return taught
    lanes = [way.stop.lane for way, _ in found]
    database.execute(
        queries("lanes")["put_lanes"],
        {
            "lanes": lanes,
            "from_codes": [way.from_code for way, _ in found],
            "to_fences": [way.stop.stop.fence for way, _ in found],
            "length_m": [way.stop.along_m - way.stop.leg_from_m for way, _ in found],
        },
    )
    database.execute(
        queries("lanes")["put_passages"],
        {
            "shipments": [way.due.shipment for way, _ in found],
            "seqs": [way.due.seq for way, _ in found],
            "lanes": lanes,
            "vehicles": [way.due.vehicle for way, _ in found],
            "left": instants(np.array([made.left_us for _, made in found], np.int64)),
            "arrived": [way.due.arrived_at for way, _ in found],
            "service_s": [made.service_s for _, made in found],
            "rest_s": [_text(made.rest_s) for _, made in found],
        },
    )
    return taught | set(lanes)


def _put_curves(database: Database, lanes: Sequence[int], settings: FleetSettings) -> int:
    """A new version of each of these lanes that has a passage left; how many."""
    network = _network(database)
    rows = database.execute(
        queries("lanes")["passages"], {"lanes": list(lanes), "limit": PASSAGES_MAX}
    ).fetchall()
    curves = [
        _curve(lane, list(some), network, settings)
        for lane, some in groupby(rows, key=lambda row: row[0])
    ]
    if curves:
        every = np.concatenate(curves)
        parameters: dict[str, Any] = {
            "lanes": numbers("int8", every["lane"]),
            "passages": numbers("int4", every["passages"]),
            "services": numbers("int4", every["services"]),
            "rest_s": texts([_text(one) for one in every["rest_s"]]),
            "hour_log": texts([_text(one) for one in every["hour_log"]]),
            "lead_s": FIXED_LEAD_S,
        }
        for name in ("length_m", "leave_m", "service_s", "spread"):
            parameters[name] = numbers("float8", every[name])
        database.execute(queries("lanes")["put_curves"], parameters)
    pruned = {"lanes": list(lanes), "keep_s": VERSIONS_KEPT_S, "limit": PASSAGES_MAX}
    database.execute(queries("lanes")["prune_curves"], pruned)
    database.execute(queries("lanes")["prune_passages"], pruned)
    return len(curves)


def _curve(
    lane: int, rows: Sequence[tuple[Any, ...]], network: Network, settings: FleetSettings
) -> Records:
    passages = Passages(
        np.array([instant_us(row[2]) for row in rows], np.int64),
        np.array([np.nan if row[3] is None else row[3] for row in rows], np.float64),
        np.array([row[4] for row in rows], np.float64),
    )
    return learn_curve(lane, float(rows[0][1]), passages, network, settings)


def _network(database: Database) -> Network:
    """What all lanes say of hours; reckoned anew once an hour."""
    row = database.execute(queries("lanes")["network"], {"old_s": NETWORK_OLD_S}).fetchone()
    if row is not None and not row[1]:
        return Network(np.array(row[0], np.float64))
    hours = database.execute(queries("lanes")["hours"]).fetchall()
    network = NO_NETWORK
    if hours:
        columns = list(zip(*hours, strict=True))
        network = network_of(
            np.array(columns[0], np.int64),
            np.array([float(mean) for mean in columns[1]], np.float64),
            np.array(columns[2], np.float64),
        )
    database.execute(queries("lanes")["put_network"], {"hour_log": _text(network.hour_log)})
    return network


def learn_ranges(database: Database) -> int:
    """How far outcomes lay from predictions, once an hour; how many kinds of predictions had enough
    of them."""
    row = database.execute(queries("lanes")["ranges_are_old"], {"old_s": RANGES_OLD_S}).fetchone()
    if row is None or not row[0]:
        return 0
    done = database.execute(
        queries("lanes")["put_ranges"],
        {
            "lead_s": FIXED_LEAD_S,
            "horizon_ends_s": list(HORIZON_ENDS_S),
            "outcomes_min": OUTCOMES_MIN,
        },
    ).rowcount
    database.execute(queries("lanes")["prune_ranges"], {"keep_s": VERSIONS_KEPT_S})
    return done


def _text(values: Floats) -> str:
    """As PostgreSQL reads an array's values."""
    return ",".join(f"{value:.6g}" for value in values.tolist())
