"""What the fleet is expected to do, built once per version of the master data: fences in one index,
each vehicle's shipments in order of departure with their routes measured and their stops placed on
them, as arrays. Upstream: master data; downstream: the fold, which only reads it.

A plan built with the one before it takes over what did not change. Fences and shipments have 64-bit
keys made of their codes: the same in every process, and what states remember them by.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime
from hashlib import blake2b
from itertools import chain
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock.fleet.fences import FenceIndex
from waystock.fleet.hours import Schedules
from waystock.fleet.lane_curve import NOTHING_LEARNED, LaneBook, lane_arrays
from waystock.fleet.limits import LimitTable, exit_margin_m, fence_records, limit_table
from waystock.fleet.placement import PlacedShipment, areas_of, place_shipments
from waystock.fleet.planned import (
    PLACE,
    SHIPMENT,
    STOP,
    VERTEX,
    PlaceOfKey,
    PlanArrays,
    PlannedFence,
    PlannedLimits,
    PlannedShipment,
    PlannedStop,
    Vertex,
)
from waystock.fleet.records import Items, as_items
from waystock.fleet.settings import FleetSettings
from waystock.fleet.vehicle_rules import FleetRules


class FleetPlan:
    """Immutable context of the fold."""

    def __init__(
        self,
        index: FenceIndex,
        placed: Sequence[PlacedShipment],
        settings: FleetSettings,
        rules: FleetRules,
    ) -> None:
        self.fences = index
        self.placed = {one.shipment.shipment: one for one in placed}
        self.settings = settings
        self.rules = cast(Items[FleetSettings], settings.as_record())
        self.names = named([*index.codes, *self.placed])
        """Key → code, of fences and shipments together."""
        in_order = sorted(placed, key=_vehicle_and_departure)
        schedules = Schedules()
        self.limits = limit_table(rules, settings, schedules)
        self.arrays = _arrays(index, in_order, self.limits, settings, rules, schedules)
        self.lanes = np.array([stop.lane for one in in_order for stop in one.stops], np.int64)
        """Of the leg that ends at each stop; 0 for none."""
        self._most_stops = np.zeros(len(in_order), np.int64)
        """Of each vehicle's shipments, at the place of its first, the most stops that one has."""
        self._codes = [one.shipment.shipment for one in in_order]
        self._places: dict[str, tuple[int, int]] = {}
        for place, one in enumerate(in_order):
            first, _ = self._places.get(one.shipment.vehicle, (place, place))
            self._places[one.shipment.vehicle] = (first, place + 1)
            self._most_stops[first] = max(self._most_stops[first], len(one.stops))

    @classmethod
    def build(
        cls,
        fences: Sequence[Fence],
        shipments: Sequence[Shipment],
        settings: FleetSettings | None = None,
        before: "FleetPlan | None" = None,
        rules: FleetRules = FleetRules(),  # noqa: B008 - immutable
    ) -> Self:
        """ValueError names the fence whose geometry can't be used, or two codes with one key; or
        says which settings the state has no room for."""
        settings = settings or FleetSettings()
        settings.check()
        margins_m = (exit_margin_m(fence, settings) for fence in fences)
        near_m = max(margins_m, default=settings.exit_buffer_m) + settings.accuracy_m_max
        if before is not None and before.fences.is_same(fences, near_m):
            index = before.fences
        else:
            index = FenceIndex(fences, near_m, before.fences if before else None)
        placed = _placed(shipments, index, before.placed if before else {})
        return cls(index, placed, settings, rules)

    def knowing(self, book: LaneBook) -> "FleetPlan":
        """The same plan, with what lanes have taught."""
        other = copy(self)
        other.arrays = self.arrays._replace(lanes=lane_arrays(book, self.lanes))
        return other

    def shipments_of(self, vehicles: Iterable[str]) -> NDArray[np.int32]:
        """First and last place + 1 of each vehicle's shipments, and the place of its limits."""
        limits = self.limits.places
        places = chain.from_iterable(
            (*self._places.get(vehicle, (0, 0)), limits.get(vehicle, 0)) for vehicle in vehicles
        )
        return np.fromiter(places, np.int32).reshape(-1, 3)

    def stops_of(self, shipments: NDArray[np.int32]) -> int:
        """At most so many stops lie ahead of these vehicles: each is on one shipment at a time."""
        first, end = shipments[:, 0], shipments[:, 1]
        return int(self._most_stops[first[first < end]].sum())

    def codes_of(self, vehicle: str) -> list[str]:
        """Its shipments, in order of departure."""
        first, end = self._places.get(vehicle, (0, 0))
        return self._codes[first:end]

    def stop(self, shipment: str, seq: int) -> ShipmentStop | None:
        """The stop of this number."""
        placed = self.placed.get(shipment)
        stops = placed.shipment.stops if placed else ()
        return next((stop for stop in stops if stop.seq == seq), None)


def key_of(code: str) -> int:
    """What states know a fence or a shipment by."""
    return int.from_bytes(blake2b(code.encode(), digest_size=8).digest(), "little", signed=True)


def named(codes: Iterable[str]) -> dict[int, str]:
    """Key → code. ValueError where two codes have one key (once in 10⁹ for 200,000 codes) or one
    has the key 0, which says that there is none."""
    names: dict[int, str] = {}
    for code in codes:
        other = names.setdefault(key_of(code), code)
        if other != code:
            raise ValueError(f"{other!r} and {code!r} have the same key; rename one of them")
    if 0 in names:
        raise ValueError(f"{names[0]!r} has the key 0; rename it")
    return names


def instant_us(instant: datetime) -> int:
    """Microseconds since 1970; exact. The fold reckons in these."""
    return round(instant.timestamp() * 1e6)


def _vehicle_and_departure(placed: PlacedShipment) -> tuple[str, datetime, str]:
    shipment = placed.shipment
    return shipment.vehicle, shipment.depart_at, shipment.shipment


def _placed(
    shipments: Sequence[Shipment], index: FenceIndex, known: dict[str, PlacedShipment]
) -> list[PlacedShipment]:
    """Each shipment, placed anew where it or one of its stops' fences is not as it was."""
    found: dict[str, PlacedShipment] = {}
    fresh: list[Shipment] = []
    for shipment in shipments:
        earlier = known.get(shipment.shipment)
        if earlier is None or earlier.shipment != shipment or not _are_same(earlier, index):
            fresh.append(shipment)
        else:
            found[shipment.shipment] = earlier
    found |= {one.shipment.shipment: one for one in place_shipments(fresh, index)}
    return list(found.values())


def _are_same(placed: PlacedShipment, index: FenceIndex) -> bool:
    areas = areas_of(placed.shipment, index)
    return all(a is b for a, b in zip(areas, placed.areas, strict=True))


def _arrays(
    index: FenceIndex,
    placed: Sequence[PlacedShipment],
    limits: LimitTable,
    settings: FleetSettings,
    rules: FleetRules,
    schedules: Schedules,
) -> PlanArrays:
    stops = [stop for one in placed for stop in one.stops]
    vertices = [one.vertices for one in placed]
    keys = [key_of(code) for code in index.codes]
    planned = zip(index.fences, keys, index.areas_m2.tolist(), strict=True)
    fences = fence_records(list(planned), rules, settings, schedules)
    places = np.array(sorted(zip(keys, range(len(keys)), strict=True)), PLACE)
    return PlanArrays(
        fences=as_items(fences, PlannedFence),
        fence_places=as_items(places, PlaceOfKey),
        limits=as_items(limits.records, PlannedLimits),
        hours=schedules.arrays(),
        shipments=as_items(_shipments(placed, settings), PlannedShipment),
        stops=as_items(
            np.array(
                [
                    (
                        key_of(one.stop.fence),
                        one.lane,
                        instant_us(one.stop.window_start),
                        instant_us(one.stop.window_end),
                        one.leg_from_m,
                        one.along_m,
                        one.lat,
                        one.lon,
                        one.stop.seq,
                    )
                    for one in stops
                ],
                STOP,
            ),
            PlannedStop,
        ),
        vertices=as_items(np.concatenate(vertices) if vertices else np.empty(0, VERTEX), Vertex),
        lanes=lane_arrays(NOTHING_LEARNED, np.zeros(len(stops), np.int64)),
    )


def _shipments(placed: Sequence[PlacedShipment], settings: FleetSettings) -> NDArray[np.void]:
    early_us, expire_us = round(settings.early_s * 1e6), round(settings.expire_s * 1e6)
    rows: list[tuple[float, ...]] = []
    vertex = stop = 0
    for one in placed:
        shipment = one.shipment
        depart_us = instant_us(shipment.depart_at)
        last_us = max((instant_us(s.window_end) for s in shipment.stops), default=depart_us)
        over_us = last_us + expire_us
        if shipment.closed_at is not None:
            over_us = min(over_us, instant_us(shipment.closed_at))
        rows.append(
            (
                key_of(shipment.shipment),
                depart_us,
                depart_us - early_us,
                over_us,
                max(shipment.planned_speed_mps, settings.pace_floor_mps),
                one.route_m,
                vertex,
                vertex + len(one.vertices),
                stop,
                stop + len(one.stops),
            )
        )
        vertex += len(one.vertices)
        stop += len(one.stops)
    return np.array(rows, SHIPMENT)
