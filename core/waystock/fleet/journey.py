"""The shipment a vehicle is on: which one, how far along its route, which stop is next. Upstream:
accepted fixes, visits that began, the plan; downstream: arrivals, arrival times, the alert rules.
"""

from collections.abc import Sequence

from waystock.fleet.geodesy import distance_m
from waystock.fleet.plan import PlannedShipment, PlannedStop
from waystock.fleet.route import Projection
from waystock.fleet.rows import ArrivalRow, VisitRow
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import Journey, Spot


def active_shipment(
    shipments: Sequence[PlannedShipment], finished: Sequence[str], time_us: int
) -> PlannedShipment | None:
    """The earliest by departure that is not finished, not expired and may have begun."""
    for shipment in shipments:
        if shipment.early_us > time_us:
            return None
        if shipment.shipment not in finished and time_us <= shipment.expire_us:
            return shipment
    return None


def begin_or_go_on(journey: Journey | None, shipment: PlannedShipment) -> Journey:
    """The journey of this shipment; measured anew if it or its route is another one."""
    route_m = shipment.route.length_m if shipment.route else 0.0
    if journey is None or journey.shipment != shipment.shipment:
        return Journey(shipment=shipment.shipment, route_m=route_m)
    if journey.route_m != route_m:
        return Journey(journey.shipment, route_m, journey.last_seq)
    return journey


def next_stop(journey: Journey, shipment: PlannedShipment) -> PlannedStop | None:
    """The first stop after the last one arrived at."""
    for stop in shipment.stops:
        if journey.last_seq is None or stop.seq > journey.last_seq:
            return stop
    return None


def step_arrivals(
    vehicle: str,
    journey: Journey,
    shipment: PlannedShipment,
    visits: Sequence[VisitRow],
) -> tuple[Journey, list[ArrivalRow]]:
    """Stops whose fence was entered, in their order; stops that follow in the same fence too."""
    arrivals: list[ArrivalRow] = []
    for visit in visits:
        if visit.exited_at is not None:
            continue
        stop = next_stop(journey, shipment)
        while stop is not None and stop.fence == visit.fence:
            row = ArrivalRow(shipment.shipment, stop.seq, vehicle, visit.entered_at)
            arrivals.append(row)
            journey = _arrived(journey, stop)
            stop = next_stop(journey, shipment)
    return journey, arrivals


def _arrived(journey: Journey, stop: PlannedStop) -> Journey:
    """Progress is at least at the stop, wherever in its fence the vehicle stands."""
    progress_m = journey.progress_m
    if progress_m is not None and stop.along_m is not None:
        progress_m = max(progress_m, stop.along_m)
    return Journey(journey.shipment, journey.route_m, stop.seq, progress_m, journey.was_on_route, 0)


def step_progress(
    journey: Journey, shipment: PlannedShipment, spot: Spot, leg_m: float, s: FleetSettings
) -> tuple[Journey, float | None]:
    """Progress after this fix, and its distance from the route (None: there is no route).

    Sought near the expected progress first. If the vehicle is not there but near another part of
    the route, progress jumps only after `rebase_fixes`; off the route it stays where it was.
    """
    route = shipment.route
    if route is None:
        return journey, None
    limit_m = off_route_limit_m(spot.accuracy_m, s)
    if journey.progress_m is None:
        found = route.project_anywhere(spot.lat, spot.lon)
        is_on = found.distance_m <= limit_m
        return _moved(journey, found.progress_m, is_on, 0), found.distance_m
    expected_m = journey.progress_m + leg_m
    span = (journey.progress_m - s.back_m, expected_m + s.forward_m)
    found = route.project(spot.lat, spot.lon, expected_m, span, s.progress_weight)
    if found.distance_m <= limit_m:
        return _moved(journey, _held(journey.progress_m, found, s), True, 0), found.distance_m
    anywhere = route.project_anywhere(spot.lat, spot.lon)
    is_on = anywhere.distance_m <= limit_m
    rebase = journey.rebase + 1 if is_on else 0
    if not journey.was_on_route or rebase >= s.rebase_fixes:
        return _moved(journey, anywhere.progress_m, is_on, 0), anywhere.distance_m
    return _moved(journey, journey.progress_m, False, rebase), anywhere.distance_m


def _moved(journey: Journey, progress_m: float, is_on: bool, rebase: int) -> Journey:
    return Journey(
        journey.shipment,
        journey.route_m,
        journey.last_seq,
        progress_m,
        journey.was_on_route or is_on,
        rebase,
    )


def _held(progress_m: float, found: Projection, s: FleetSettings) -> float:
    if progress_m - s.progress_hold_m < found.progress_m < progress_m:
        return progress_m
    return found.progress_m


def off_route_limit_m(accuracy_m: float, s: FleetSettings) -> float:
    """How far from the route still counts as on it."""
    return max(s.off_route_m, s.off_route_accuracies * accuracy_m)


def remaining_m(
    journey: Journey, stop: PlannedStop, spot: Spot, away_m: float | None, s: FleetSettings
) -> float | None:
    """The way to the stop: along the route, plus the way back to it if the vehicle is off it; by
    straight line × detour where there is no route; None if not even the stop's place is known."""
    if journey.progress_m is not None and stop.along_m is not None:
        back_m = 0.0
        if away_m is not None and away_m > off_route_limit_m(spot.accuracy_m, s):
            back_m = away_m * s.detour
        return max(0.0, stop.along_m - journey.progress_m) + back_m
    if stop.lat is None or stop.lon is None:
        return None
    return distance_m(spot.lat, spot.lon, stop.lat, stop.lon) * s.detour


def is_far(shipment: PlannedShipment, spot: Spot, s: FleetSettings) -> bool:
    """Away from the route's start and from every stop: no longer manoeuvring there."""
    if shipment.route is not None:
        start = shipment.route.start
        if distance_m(spot.lat, spot.lon, *start) < s.off_route_far_m:
            return False
    return all(
        stop.lat is None
        or stop.lon is None
        or distance_m(spot.lat, spot.lon, stop.lat, stop.lon) >= s.off_route_far_m
        for stop in shipment.stops
    )


def finish(finished: tuple[str, ...], shipment: str, s: FleetSettings) -> tuple[str, ...]:
    """The finished shipments with this one added, newest last."""
    return (*finished, shipment)[-s.finished_max :]
