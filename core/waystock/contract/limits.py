"""What is allowed to a vehicle, and the hours of a week: parts of the master-data document that the
api takes one by one, too. Upstream: forms, files; downstream: `masterdata`, the fleet's rules.

What is left out is inherited: a vehicle's own limits stand before those of its class, these before
those of the class `default`, and these before what Waystock takes where nothing is said.
"""

from typing import Annotated, Literal

import msgspec

from waystock.contract.identifiers import Name

DEFAULT_CLASS = "default"
"""The class whose limits hold for every vehicle that has none of its own."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?!\n)$|^24:00$")]

Seconds = Annotated[float, msgspec.Meta(ge=60, le=366 * 86_400)]
Celsius = Annotated[float, msgspec.Meta(ge=-200, le=200)]


class DayHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `start` to `end` by the clock on the wall, on each of `days`; where `end` is not later
    than `start`, to that time of the day after."""

    days: tuple[Weekday, ...]
    start: TimeOfDay
    end: TimeOfDay


WeekHours = tuple[DayHours, ...]
"""Hours of a week in a site's time zone; they may overlap. None at all: at any time."""


class VehicleLimits(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """None is inherited."""

    speed_limit_mps: Annotated[float, msgspec.Meta(ge=1, le=100)] | None = None
    """A fence's own limit holds where it is lower."""
    unplanned_stop_s: Seconds | None = None
    """A stop this long on the way of a shipment, in no yard, is told."""
    silent_s: Seconds | None = None
    """So long may a vehicle on the road say nothing …"""
    parked_silent_s: Annotated[float, msgspec.Meta(ge=0, le=366 * 86_400)] | None = None
    """… and so long one that stands; 0: as long as it likes, its tracker sleeps by design."""
    working_hours: WeekHours | None = None
    """Outside of them it has no business on the road; in the time zone of its home site."""
    needs_shipment: bool | None = None
    """Whether it is told when the vehicle drives without a shipment."""
    temperature_low_c: Celsius | None = None
    temperature_high_c: Celsius | None = None
    """The band of its load; a side that is nowhere given is open."""
    temperature_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] | None = None
    """Out of the band for so long is told; a door that is opened warms for a while."""
    door_open_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] | None = None
    """A door may stand open so long while the vehicle is on a trip."""


class VehicleClass(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Vehicles that have the same limits: reefers, vans, yard tractors."""

    vehicle_class: Name
    name: dict[Literal["en", "zh"], str] = {}
    limits: VehicleLimits = VehicleLimits()


def inherited(*from_own_to_default: VehicleLimits | None) -> VehicleLimits:
    """Of each limit the first that is given."""
    given: dict[str, object] = {}
    for limits in from_own_to_default:
        if limits is None:
            continue
        for field in limits.__struct_fields__:
            value = getattr(limits, field)
            if value is not None:
                given.setdefault(field, value)
    return msgspec.convert(given, VehicleLimits)


def check_limits(limits: VehicleLimits) -> None:
    """ValueError where a band's sides are the wrong way round."""
    low, high = limits.temperature_low_c, limits.temperature_high_c
    if low is not None and high is not None and low >= high:
        raise ValueError(f"temperature_low_c is below temperature_high_c, not {low} and {high}")
