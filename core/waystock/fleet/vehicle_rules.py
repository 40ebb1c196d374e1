"""What the master data say of vehicles, and what clocks sites go by. Upstream: the store's limits;
downstream: `limits`, which makes records of them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from waystock.contract.limits import VehicleLimits

UTC_ZONE = "UTC"


class VehicleRule(NamedTuple):
    """The limits in effect for a vehicle, inherited ones among them, and its home site's zone."""

    limits: VehicleLimits
    time_zone: str = UTC_ZONE


class FleetRules(NamedTuple):
    """Of all vehicles and sites."""

    otherwise: VehicleRule = VehicleRule(VehicleLimits())
    """Of vehicles that are not in `of_vehicle`."""
    of_vehicle: Mapping[str, VehicleRule] = {}
    time_zones: Mapping[str, str] = {}
    """By site."""
