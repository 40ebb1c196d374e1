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
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock.fleet.fences import FenceIndex
from waystock.fleet.lane_curve import NOTHING_LEARNED, LaneBook, lane_arrays
from waystock.fleet.placement import PlacedShipment, areas_of, place_shipments
from waystock.fleet.planned import (
    FENCE,
    SHIPMENT,
    STOP,
    VERTEX,
    PlanArrays,
    PlannedFence,
    PlannedShipment,
    PlannedStop,
    Vertex,
)
from waystock.fleet.records import Items, as_items
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import NO_GO_AREA, PLAIN, YARD

_KINDS = {"site": YARD, "customer": YARD, "no_go": NO_GO_AREA}


class FleetPlan:
    """Immutable context of the fold."""

    def __init__(
        self, index: FenceIndex, placed: Sequence[PlacedShipment], settings: FleetSettings
    ) -> None:
        self.fences = index
        self.placed = {one.shipment.shipment: one for one in placed}
        self.settings = settings
        self.rules = cast(Items[FleetSettings], settings.as_record())
        self.names = named([*index.codes, *self.placed])
        """Key → code, of fences and shipments together."""
        in_order = sorted(placed, key=_vehicle_and_departure)
        self.arrays = _arrays(index, in_order, settings)
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
    ) -> Self:
        """ValueError names the fence whose geometry can't be used, or two codes with one key; or
        says which settings the state has no room for."""
        settings = settings or FleetSettings()
        settings.check()
        near_m = settings.exit_buffer_m + settings.accuracy_m_max
        if before is not None and before.fences.is_same(fences, near_m):
            index = before.fences
        else:
            index = FenceIndex(fences, near_m, before.fences if before else None)
        return cls(index, _placed(shipments, index, before.placed if before else {}), settings)

    def knowing(self, book: LaneBook) -> "FleetPlan":
        """The same plan, with what lanes have taught."""
        other = copy(self)
        other.arrays = self.arrays._replace(lanes=lane_arrays(book, self.lanes))
        return other

    def shipments_of(self, vehicles: Iterable[str]) -> NDArray[np.int32]:
        """First and last place + 1 of each vehicle's shipments."""
        places = [self._places.get(vehicle, (0, 0)) for vehicle in vehicles]
        return np.array(places, np.int32).reshape(-1, 2)

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
    index: FenceIndex, placed: Sequence[PlacedShipment], settings: FleetSettings
) -> PlanArrays:
    stops = [stop for one in placed for stop in one.stops]
    vertices = [one.vertices for one in placed]
    return PlanArrays(
        fences=as_items(_fences(index, settings), PlannedFence),
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


def _fences(index: FenceIndex, settings: FleetSettings) -> NDArray[np.void]:
    fences = np.empty(len(index.codes), FENCE)
    fences["key"] = [key_of(code) for code in index.codes]
    fences["area_m2"] = index.areas_m2
    fences["kind"] = [_KINDS.get(fence.kind, PLAIN) for fence in index.fences]
    fences["dwell_limit_s"] = [_dwell_limit_s(fence, settings) for fence in index.fences]
    fences["speed_limit_mps"] = [fence.speed_limit_mps or 0.0 for fence in index.fences]
    return fences


def _dwell_limit_s(fence: Fence, settings: FleetSettings) -> float:
    """0: a vehicle may stay as long as it likes."""
    if fence.dwell_limit_s is not None:
        return fence.dwell_limit_s
    return settings.free_time_s if fence.kind == "customer" else 0.0


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
