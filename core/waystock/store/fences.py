"""Fences one by one: what a map draws, saves and removes. Upstream: the api; downstream: the master
data that ingest reads anew when its version has changed.
"""

from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from waystock.contract.masterdata import Fence
from waystock.fleet.fence_shapes import has_depth, saved_geometry
from waystock.store.connection import Database
from waystock.store.sql import queries


class FenceRefusedError(Exception):
    """The fence can't be saved, or not removed. The text says why."""


def load_fences(database: Database) -> list[Fence]:
    """All of them, by code."""
    return [as_fence(row) for row in database.execute(queries("fences")["all"])]


def load_fence(database: Database, fence: str) -> Fence | None:
    """The fence of this code."""
    row = database.execute(queries("fences")["one"], {"fence": fence}).fetchone()
    return as_fence(row) if row else None


def save_fence(database: Database, fence: Fence) -> Fence:
    """Make or change it, in a transaction of its own; as it was saved: cut in two where it crosses
    the antimeridian. FenceRefusedError where its geometry or its site is none."""
    try:
        geometry = saved_geometry(fence.fence, fence.geometry)
        check_fence_rules(fence)
    except ValueError as error:
        raise FenceRefusedError(str(error)) from error
    saved = msgspec.structs.replace(fence, geometry=geometry)
    rows = Jsonb([msgspec.to_builtins(saved)])
    try:
        with database.transaction():
            database.execute(queries("masterdata")["fences"], {"rows": rows})
            database.execute(queries("masterdata")["bump"])
    except psycopg.errors.ForeignKeyViolation as error:
        raise FenceRefusedError(f"There is no site {fence.site!r}.") from error
    return saved


def check_fence_rules(fence: Fence) -> None:
    """ValueError where its hours have no clock, or no fix can lie as deep in it as it asks for."""
    if fence.active_hours and fence.site is None:
        raise ValueError(
            f"fence {fence.fence!r}: active_hours are told in a site's time zone; name its site"
        )
    if fence.enter_margin_m and not has_depth(fence.fence, fence.geometry, fence.enter_margin_m):
        raise ValueError(
            f"fence {fence.fence!r}: no place in it is enter_margin_m = {fence.enter_margin_m:g} m"
            " from its edge; a vehicle would never be in it"
        )


def remove_fence(database: Database, fence: str) -> bool:
    """Whether there was one; its visits stay. FenceRefusedError while a shipment stops there."""
    try:
        with database.transaction():
            removed = database.execute(queries("fences")["remove"], {"fence": fence}).fetchone()
            if removed:
                database.execute(queries("masterdata")["bump"])
    except psycopg.errors.ForeignKeyViolation as error:
        raise FenceRefusedError(f"Shipments stop at the fence {fence!r}.") from error
    return removed is not None


def as_fence(row: tuple[Any, ...]) -> Fence:
    """A row of the table, in its columns' order in the queries."""
    names = (
        "fence", "name", "kind", "site", "location", "dwell_limit_s", "speed_limit_mps", "geometry",
    )  # fmt: skip
    return msgspec.convert({**dict(zip(names, row[:-1], strict=True)), **row[-1]}, Fence)
