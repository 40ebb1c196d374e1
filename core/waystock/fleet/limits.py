"""What is allowed to vehicles and when fences count, as the plan's records. Upstream: fences and
limits of the master data, the fleet's settings; downstream: `plan`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from waystock.contract.masterdata import Fence
from waystock.fleet.hours import ANY_TIME, Schedules
from waystock.fleet.planned import FENCE, LIMITS
from waystock.fleet.records import Records
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import NO_GO_AREA, PLAIN, YARD
from waystock.fleet.vehicle_rules import UTC_ZONE, FleetRules, VehicleRule

_KINDS = {"site": YARD, "yard": YARD, "dock": YARD, "customer": YARD, "no_go": NO_GO_AREA}
_WITH_FREE_TIME = ("customer", "dock")


class LimitTable(NamedTuple):
    """Different limits once each, and the place of each vehicle that has other than the first."""

    records: Records
    places: dict[str, int]


def limit_table(rules: FleetRules, settings: FleetSettings, schedules: Schedules) -> LimitTable:
    """All limits in effect."""
    by_rule = {rules.otherwise: 0}
    places: dict[str, int] = {}
    for vehicle, rule in rules.of_vehicle.items():
        places[vehicle] = by_rule.setdefault(rule, len(by_rule))
    rows = [_limits(rule, settings, schedules) for rule in by_rule]
    return LimitTable(np.array(rows, LIMITS), places)


def _limits(
    rule: VehicleRule, settings: FleetSettings, schedules: Schedules
) -> tuple[float, float, float, float, int, bool]:
    limits = rule.limits
    return (
        _or(limits.speed_limit_mps, settings.speed_limit_mps),
        _or(limits.unplanned_stop_s, settings.unplanned_stop_s),
        _or(limits.silent_s, settings.silent_s),
        _or(limits.parked_silent_s, settings.parked_silent_s),
        schedules.place(limits.working_hours, rule.time_zone),
        bool(limits.needs_shipment),
    )


def fence_records(
    fences: Sequence[tuple[Fence, int, float]],
    rules: FleetRules,
    settings: FleetSettings,
    schedules: Schedules,
) -> Records:
    """Each fence with its key and its area in m²; and last the one that stands for fences which are
    planned no longer."""
    records = np.zeros(len(fences) + 1, FENCE)
    for place, (fence, key, area_m2) in enumerate(fences):
        zone = rules.time_zones.get(fence.site or "", UTC_ZONE)
        records[place] = (
            key,
            area_m2,
            _dwell_limit_s(fence, settings),
            fence.speed_limit_mps or 0.0,
            *_hysteresis(fence, settings),
            schedules.place(fence.active_hours, zone),
            _KINDS.get(fence.kind, PLAIN),
        )
    gone = Fence(fence="gone", name={}, kind="zone", geometry={})
    records[-1] = (0, 0.0, settings.free_time_s, 0.0, *_hysteresis(gone, settings), ANY_TIME, PLAIN)
    return records


def _hysteresis(
    fence: Fence, settings: FleetSettings
) -> tuple[float, float, float, float, int, int]:
    return (
        _or(fence.enter_margin_m, settings.enter_margin_m),
        _or(fence.enter_s, settings.fence_s),
        exit_margin_m(fence, settings),
        _or(fence.exit_s, settings.fence_s),
        fence.enter_fixes or settings.enter_fixes,
        fence.exit_fixes or settings.exit_fixes,
    )


def exit_margin_m(fence: Fence, settings: FleetSettings) -> float:
    """How far beyond its edge outside begins."""
    return _or(fence.exit_margin_m, settings.exit_buffer_m)


def _dwell_limit_s(fence: Fence, settings: FleetSettings) -> float:
    """0: a vehicle may stay as long as it likes."""
    if fence.dwell_limit_s is not None:
        return fence.dwell_limit_s
    return settings.free_time_s if fence.kind in _WITH_FREE_TIME else 0.0


def _or(given: float | None, otherwise: float) -> float:
    return otherwise if given is None else given
