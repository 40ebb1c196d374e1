"""Fences as GeoJSON: what a map draws, saves and removes."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict

from waystock.contract.masterdata import Fence
from waystock.store.fences import (
    FenceRefusedError,
    load_fence,
    load_fences,
    remove_fence,
    save_fence,
)
from waystock_api.access import needs
from waystock_api.hours import Hours
from waystock_api.paging import NoQuery
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/fences", tags=["master data"])


class FenceProperties(BaseModel):
    """What is said of a fence."""

    model_config = ConfigDict(extra="forbid")

    name: dict[Literal["en", "zh"], str]
    kind: Literal["site", "yard", "dock", "customer", "zone", "corridor", "no_go"] = "zone"
    site: str | None = None
    location: str | None = None
    """The dock door that it is drawn around."""
    dwell_limit_s: float | None = None
    """Longer is detention; null: two hours at a customer's and at a dock, no limit elsewhere."""
    speed_limit_mps: float | None = None
    active_hours: list[Hours] = []
    """When its limits count, in its site's time zone; none: at any time."""
    enter_margin_m: float | None = None
    """So deep inside a fix must lie; null, here and below: as the fleet's settings have it."""
    enter_fixes: int | None = None
    enter_s: float | None = None
    """So many fixes make a visit begin, or two that are so far apart."""
    exit_margin_m: float | None = None
    """So far beyond the edge, plus its accuracy, a fix is outside."""
    exit_fixes: int | None = None
    exit_s: float | None = None


class FenceFeature(BaseModel):
    """A GeoJSON Feature; the geometry of a circle is a Point with `radius_m`, of a corridor a
    LineString with `width_m`."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["Feature"]
    id: str | None = None
    geometry: dict[str, Any]
    properties: FenceProperties


class FenceCollection(BaseModel):
    """All fences."""

    type: Literal["FeatureCollection"]
    features: list[FenceFeature]


@router.get("")
def list_fences(services: ServicesOfApp, _query: Annotated[NoQuery, Query()]) -> FenceCollection:
    """All fences, by code."""
    with services.store.connection() as database:
        fences = load_fences(database)
    return FenceCollection(type="FeatureCollection", features=[_feature(fence) for fence in fences])


@router.get("/{fence}", responses={404: {}})
def get_fence(
    fence: str, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> FenceFeature:
    """One fence."""
    with services.store.connection() as database:
        found = load_fence(database, fence)
    if found is None:
        raise HTTPException(404, f"There is no fence {fence!r}.")
    return _feature(found)


@router.put("/{fence}", dependencies=[Depends(needs("operator"))], responses={403: {}, 422: {}})
def put_fence(fence: str, feature: FenceFeature, services: ServicesOfApp) -> FenceFeature:
    """Make or change a fence; as it was saved. Vehicles are seen in it from the next fix on. Needs
    the role operator."""
    said = feature.properties.model_dump()
    try:
        made = msgspec.convert({**said, "fence": fence, "geometry": feature.geometry}, Fence)
    except msgspec.ValidationError as error:
        raise HTTPException(422, f"Fence {fence!r}: {error}.") from error
    try:
        with services.store.connection() as database:
            return _feature(save_fence(database, made))
    except FenceRefusedError as error:
        raise HTTPException(422, str(error)) from error


@router.delete(
    "/{fence}",
    status_code=204,
    dependencies=[Depends(needs("operator"))],
    responses={403: {}, 404: {}, 409: {"description": "Shipments stop there"}},
)
def delete_fence(fence: str, services: ServicesOfApp) -> None:
    """Remove a fence; its visits stay. Needs the role operator."""
    try:
        with services.store.connection() as database:
            was_there = remove_fence(database, fence)
    except FenceRefusedError as error:
        raise HTTPException(409, str(error)) from error
    if not was_there:
        raise HTTPException(404, f"There is no fence {fence!r}.")


def _feature(fence: Fence) -> FenceFeature:
    said = {name: getattr(fence, name) for name in FenceProperties.model_fields}
    said["active_hours"] = [msgspec.to_builtins(one) for one in fence.active_hours]
    return FenceFeature(
        type="Feature",
        id=fence.fence,
        geometry=fence.geometry,
        properties=FenceProperties.model_validate(said),
    )
