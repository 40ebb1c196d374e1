"""What is allowed to vehicles and their classes, and when people want to be left alone."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict

from waystock.contract.limits import VehicleClass, VehicleLimits, WeekHours
from waystock.store import limits as store
from waystock.store.limits import LimitsRefusedError, QuietHours, VehicleSettings
from waystock_api.access import needs
from waystock_api.hours import Hours
from waystock_api.paging import NoQuery
from waystock_api.services import ServicesOfApp

router = APIRouter(tags=["master data"])

OPERATOR = [Depends(needs("operator"))]
REFUSALS: dict[int | str, dict[str, Any]] = {403: {}, 404: {}, 422: {}}


class Limits(BaseModel):
    """Null is inherited: from the vehicle's class, the class `default`, and what Waystock takes
    where nothing is said."""

    model_config = ConfigDict(extra="forbid")

    speed_limit_mps: float | None = None
    unplanned_stop_s: float | None = None
    silent_s: float | None = None
    parked_silent_s: float | None = None
    """0: a vehicle that stands may be silent as long as it likes; its tracker sleeps."""
    working_hours: list[Hours] | None = None
    """In the time zone of the home site; an empty list: at any time."""
    needs_shipment: bool | None = None
    temperature_low_c: float | None = None
    temperature_high_c: float | None = None
    temperature_s: float | None = None
    door_open_s: float | None = None


class ClassBody(BaseModel):
    """A class of vehicles."""

    model_config = ConfigDict(extra="forbid")

    name: dict[Literal["en", "zh"], str] = {}
    limits: Limits = Limits()


class ClassOut(ClassBody):
    """One class."""

    vehicle_class: str


class ClassList(BaseModel):
    """All of them; there are few."""

    items: list[ClassOut]


class VehicleBody(BaseModel):
    """What is set for one vehicle."""

    model_config = ConfigDict(extra="forbid")

    vehicle_class: str | None = None
    home_site: str | None = None
    limits: Limits = Limits()


class VehicleOut(VehicleBody):
    """The same, and what holds for it: inherited limits among them."""

    vehicle: str
    time_zone: str
    in_effect: Limits


class QuietBody(BaseModel):
    """When alerts of some severities are recorded but not pushed, in the site's time zone. Those
    that are still open at the end are pushed then."""

    model_config = ConfigDict(extra="forbid")

    quiet_hours: list[Hours] = []
    quiet_severities: list[Literal["critical", "warning", "info"]] = ["warning", "info"]


class QuietOut(QuietBody):
    """The same, with the clock it is told by."""

    site: str
    time_zone: str


@router.get("/vehicle-classes")
def list_classes(services: ServicesOfApp, _query: Annotated[NoQuery, Query()]) -> ClassList:
    """Classes of vehicles, by code."""
    with services.store.connection() as database:
        return ClassList(items=[_class(one) for one in store.load_classes(database)])


@router.put("/vehicle-classes/{vehicle_class}", dependencies=OPERATOR, responses=REFUSALS)
def put_class(vehicle_class: str, body: ClassBody, services: ServicesOfApp) -> ClassOut:
    """Make or change a class; those of the class `default` hold for all vehicles. Needs the role
    operator."""
    said = {"vehicle_class": vehicle_class, "name": body.name, "limits": _given(body.limits)}
    one = _read(said, VehicleClass, f"Class {vehicle_class!r}")
    try:
        with services.store.connection() as database:
            return _class(store.save_class(database, one))
    except LimitsRefusedError as error:
        raise HTTPException(422, str(error)) from error


@router.delete(
    "/vehicle-classes/{vehicle_class}",
    status_code=204,
    dependencies=OPERATOR,
    responses={403: {}, 404: {}, 409: {"description": "Vehicles are of this class"}},
)
def delete_class(vehicle_class: str, services: ServicesOfApp) -> None:
    """Remove a class that no vehicle is of. Needs the role operator."""
    try:
        with services.store.connection() as database:
            was_there = store.remove_class(database, vehicle_class)
    except LimitsRefusedError as error:
        raise HTTPException(409, str(error)) from error
    if not was_there:
        raise HTTPException(404, f"There is no class of vehicles {vehicle_class!r}.")


@router.get("/vehicles/{vehicle}/limits", responses={404: {}})
def get_limits(
    vehicle: str, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> VehicleOut:
    """A vehicle's own limits, and those that hold for it."""
    with services.store.connection() as database:
        return _vehicle(vehicle, store.load_vehicle_settings(database, vehicle))


@router.put("/vehicles/{vehicle}/limits", dependencies=OPERATOR, responses=REFUSALS)
def put_limits(vehicle: str, body: VehicleBody, services: ServicesOfApp) -> VehicleOut:
    """Set a vehicle's class, home site and own limits; they count from its next fix on. Needs the
    role operator."""
    limits = _read(_given(body.limits), VehicleLimits, f"Vehicle {vehicle!r}")
    try:
        with services.store.connection() as database:
            saved = store.save_vehicle_settings(
                database, vehicle, body.vehicle_class, body.home_site, limits
            )
    except LimitsRefusedError as error:
        raise HTTPException(422, str(error)) from error
    return _vehicle(vehicle, saved)


@router.get("/sites/{site}/quiet-hours", responses={404: {}})
def get_quiet_hours(
    site: str, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> QuietOut:
    """When its alerts are not pushed."""
    with services.store.connection() as database:
        return _quiet(site, store.load_quiet_hours(database, site))


@router.put("/sites/{site}/quiet-hours", dependencies=OPERATOR, responses=REFUSALS)
def put_quiet_hours(site: str, body: QuietBody, services: ServicesOfApp) -> QuietOut:
    """Change them. Needs the role operator."""
    hours = _read(body.model_dump()["quiet_hours"], WeekHours, f"Site {site!r}")
    try:
        with services.store.connection() as database:
            saved = store.save_quiet_hours(database, site, hours, tuple(body.quiet_severities))
    except LimitsRefusedError as error:
        raise HTTPException(422, str(error)) from error
    return _quiet(site, saved)


def _given(limits: Limits) -> dict[str, Any]:
    return limits.model_dump(exclude_none=True)


def _read(said: Any, kind: Any, whose: str) -> Any:
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise HTTPException(422, f"{whose}: {error}.") from error


def _limits(limits: VehicleLimits) -> Limits:
    return Limits.model_validate(msgspec.to_builtins(limits))


def _class(one: VehicleClass) -> ClassOut:
    return ClassOut(vehicle_class=one.vehicle_class, name=one.name, limits=_limits(one.limits))


def _vehicle(vehicle: str, found: VehicleSettings | None) -> VehicleOut:
    if found is None:
        raise HTTPException(404, f"There is no vehicle {vehicle!r}.")
    return VehicleOut(
        vehicle=vehicle,
        vehicle_class=found.vehicle_class,
        home_site=found.home_site,
        time_zone=found.time_zone,
        limits=_limits(found.limits),
        in_effect=_limits(found.in_effect),
    )


def _quiet(site: str, found: QuietHours | None) -> QuietOut:
    if found is None:
        raise HTTPException(404, f"There is no site {site!r}.")
    said = msgspec.to_builtins(found.quiet_hours)
    return QuietOut.model_validate(
        {
            "site": site,
            "time_zone": found.time_zone,
            "quiet_hours": said,
            "quiet_severities": list(found.quiet_severities),
        }
    )
