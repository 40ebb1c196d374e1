"""What is allowed to vehicles, in the store: their own limits, those of their class, and those of
the class `default`. Upstream: the api and the import; downstream: the fleet's plan and the stages
that watch sensors, which read them with the master data.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from psycopg.types.json import Jsonb

from waystock.contract.limits import (
    DEFAULT_CLASS,
    VehicleClass,
    VehicleLimits,
    WeekHours,
    check_limits,
    inherited,
)
from waystock.contract.masterdata import MasterData
from waystock.fleet.vehicle_rules import UTC_ZONE, FleetRules, VehicleRule
from waystock.fleet.week_hours import time_zone_of
from waystock.store.connection import Database
from waystock.store.sql import queries


class LimitsRefusedError(Exception):
    """They can't be saved, or not removed. The text says why."""


class FleetLimits(NamedTuple):
    """The limits in effect of all vehicles."""

    rules: FleetRules

    def of(self, vehicle: str) -> VehicleLimits:
        """Inherited ones among them."""
        return self.rules.of_vehicle.get(vehicle, self.rules.otherwise).limits


class VehicleSettings(NamedTuple):
    """What is set for a vehicle, and what holds for it."""

    vehicle: str
    vehicle_class: str | None
    home_site: str | None
    limits: VehicleLimits
    in_effect: VehicleLimits
    time_zone: str


class QuietHours(NamedTuple):
    """Of a site: when alerts of some severities are not pushed."""

    quiet_hours: WeekHours
    quiet_severities: tuple[str, ...]
    time_zone: str


def load_limits(database: Database) -> FleetLimits:
    """All of them, in one transaction with the rest of the master data."""
    zones = {row[0]: row[2] for row in database.execute(queries("directory")["sites"])}
    classes = {one.vehicle_class: one.limits for one in load_classes(database)}
    default = classes.get(DEFAULT_CLASS)
    otherwise = VehicleRule(inherited(default))
    of_vehicle: dict[str, VehicleRule] = {}
    made: dict[str | None, VehicleLimits] = {None: otherwise.limits}
    for vehicle, _, home_site, class_name, own in database.execute(
        queries("directory")["vehicles"]
    ):
        if class_name not in made:
            made[class_name] = inherited(classes.get(class_name), default)
        limits = made[class_name]
        if own:
            limits = inherited(_limits(own), limits)
        rule = VehicleRule(limits, zones.get(home_site or "", UTC_ZONE))
        if rule != otherwise:
            of_vehicle[vehicle] = rule
    return FleetLimits(FleetRules(otherwise, of_vehicle, zones))


def load_classes(database: Database) -> list[VehicleClass]:
    """Classes of vehicles, by code."""
    return [
        VehicleClass(vehicle_class=code, name=name, limits=_limits(limits))
        for code, name, limits in database.execute(queries("directory")["vehicle_classes"])
    ]


def save_class(database: Database, one: VehicleClass) -> VehicleClass:
    """Make or change it, in a transaction of its own. LimitsRefusedError says what can't be."""
    _check(one.limits, f"class {one.vehicle_class!r}")
    with database.transaction():
        rows = Jsonb([msgspec.to_builtins(one)])
        database.execute(queries("masterdata")["vehicle_classes"], {"rows": rows})
        database.execute(queries("masterdata")["bump"])
    return one


def remove_class(database: Database, vehicle_class: str) -> bool:
    """Whether there was one. LimitsRefusedError while vehicles belong to it."""
    parameters = {"vehicle_class": vehicle_class}
    with database.transaction():
        removed = database.execute(queries("limits")["remove_class"], parameters).fetchone()
        row = database.execute(queries("limits")["vehicles_of_class"], parameters).fetchone()
        if row and row[0]:
            raise LimitsRefusedError(f"{row[0]} vehicles are of the class {vehicle_class!r}.")
        if removed:
            database.execute(queries("masterdata")["bump"])
    return removed is not None


def load_vehicle_settings(database: Database, vehicle: str) -> VehicleSettings | None:
    """Of one vehicle; None where there is none."""
    row = database.execute(
        queries("limits")["vehicle"], {"vehicle": vehicle, "default": DEFAULT_CLASS}
    ).fetchone()
    if row is None:
        return None
    own, of_class, of_default = (_limits(part or {}) for part in row[3:6])
    return VehicleSettings(
        row[0], row[1], row[2], own, inherited(own, of_class, of_default), row[6]
    )


def save_vehicle_settings(
    database: Database,
    vehicle: str,
    vehicle_class: str | None,
    home_site: str | None,
    limits: VehicleLimits,
) -> VehicleSettings | None:
    """As they are then; None where there is no such vehicle. LimitsRefusedError says what can't
    be."""
    _check(limits, f"vehicle {vehicle!r}")
    if limits.working_hours and home_site is None:
        raise LimitsRefusedError(
            f"vehicle {vehicle!r}: working_hours are told in a site's time zone; name its home_site"
        )
    with database.transaction():
        _check_known(database, {vehicle_class} - {None}, {home_site} - {None})
        saved = database.execute(
            queries("limits")["save_vehicle"],
            {
                "vehicle": vehicle,
                "vehicle_class": vehicle_class,
                "home_site": home_site,
                "limits": Jsonb(msgspec.to_builtins(limits)),
            },
        ).fetchone()
        if saved is None:
            return None
        database.execute(queries("masterdata")["bump"])
        return load_vehicle_settings(database, vehicle)


def load_quiet_hours(database: Database, site: str) -> QuietHours | None:
    """None where there is no such site."""
    row = database.execute(queries("limits")["quiet_hours"], {"site": site}).fetchone()
    if row is None:
        return None
    return QuietHours(msgspec.convert(row[0], WeekHours), tuple(row[1]), row[2])


def save_quiet_hours(
    database: Database, site: str, hours: WeekHours, severities: tuple[str, ...]
) -> QuietHours | None:
    """As they are then; None where there is no such site. LimitsRefusedError where its time zone is
    none."""
    known = load_quiet_hours(database, site)
    if known is None:
        return None
    if hours and time_zone_of(known.time_zone) is None:
        raise LimitsRefusedError(f"The time zone {known.time_zone!r} of {site!r} is not known.")
    database.execute(
        queries("limits")["save_quiet_hours"],
        {
            "site": site,
            "quiet_hours": Jsonb(msgspec.to_builtins(hours)),
            "quiet_severities": sorted(severities),
        },
    )
    return load_quiet_hours(database, site)


def check_vehicles(database: Database, data: MasterData) -> None:
    """ValueError names the vehicle of a document whose class or home site is none, or whose limits
    contradict themselves."""
    made = data.vehicle_classes or ()
    for one in made:
        check_limits(one.limits)
    classes = {one.vehicle_class for one in data.vehicles if one.vehicle_class is not None}
    classes -= {one.vehicle_class for one in made}
    sites = {one.home_site for one in data.vehicles if one.home_site is not None}
    try:
        _check_known(database, classes, sites - {one.site for one in data.sites})
        for one in data.vehicles:
            _check(one.limits or VehicleLimits(), f"vehicle {one.vehicle!r}")
    except LimitsRefusedError as error:
        raise ValueError(str(error)) from error


def _check_known(database: Database, classes: set[Any], sites: set[Any]) -> None:
    for name, wanted in (("classes", classes), ("sites", sites)):
        if not wanted:
            continue
        found = database.execute(queries("limits")[f"{name}_among"], {name: sorted(wanted)})
        unknown = wanted - {row[0] for row in found}
        if unknown:
            what = "class of vehicles" if name == "classes" else "site"
            raise LimitsRefusedError(f"There is no {what} {min(unknown)!r}.")


def _check(limits: VehicleLimits, whose: str) -> None:
    try:
        check_limits(limits)
    except ValueError as error:
        raise LimitsRefusedError(f"{whose}: {error}") from error


def _limits(stored: Mapping[str, Any]) -> VehicleLimits:
    return msgspec.convert(stored, VehicleLimits)
