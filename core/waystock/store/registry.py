"""Who and what there is besides vehicles: drivers, trailers; and trips with who drove and what was
drawn. Upstream: the api's commands, the import; downstream: its lists. Assignments themselves:
`waystock.store.assignments`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
import psycopg

from waystock.contract.identifiers import iso_utc
from waystock.contract.masterdata import Driver, Trailer, Vehicle
from waystock.store.api import Resource
from waystock.store.connection import Database
from waystock.store.questions import Question
from waystock.store.sql import queries


class InUseError(Exception):
    """It has been assigned, so its history names it. The text says what to do."""


@dataclass(frozen=True, slots=True)
class DriverRow:
    driver: str
    name: str | None
    licence: str | None
    phone: str | None
    vehicle: str | None
    """The vehicle driven now."""
    vehicle_since: datetime | None


@dataclass(frozen=True, slots=True)
class TrailerRow:
    trailer: str
    plate: str
    kind: str
    vehicle: str | None
    """The vehicle that it is behind now."""
    vehicle_since: datetime | None
    device: str | None
    """Its own tracker."""
    lat: float | None
    lon: float | None
    fix_time: datetime | None
    placed_by: Literal["tracker", "vehicle", "left"] | None
    """Its own tracker, the vehicle it is behind, or the last fix of the one that left it."""


@dataclass(frozen=True, slots=True)
class TripRow:
    """A trip; distances in metres along the fixes, WGS 84."""

    vehicle: str
    plate: str
    started_at: datetime
    ended_at: datetime | None
    start_lat: float
    start_lon: float
    end_lat: float | None
    end_lon: float | None
    distance_m: float | None
    drivers: list[str]
    """Who drove at some time of it, in order."""
    trailers: list[str]


DRIVERS = Resource(
    "drivers", DriverRow, ("driver", "vehicle"), lambda row: (row.driver,), "registry"
)
TRAILERS = Resource(
    "trailers", TrailerRow, ("trailer", "vehicle", "kind"), lambda row: (row.trailer,), "registry"
)
TRIPS = Question(
    family="registry", query="trips", row=TripRow,
    must=("since", "until"), may=("vehicle", "driver", "trailer"),
    key=lambda row: (row.vehicle, iso_utc(row.started_at)),
)  # fmt: skip


def save(database: Database, one: Vehicle | Driver | Trailer) -> None:
    """Make or change it."""
    statement = queries("registry")[f"put_{type(one).__name__.lower()}"]
    database.execute(statement, msgspec.structs.asdict(one))
    if isinstance(one, Vehicle):
        database.execute(queries("masterdata")["bump"])


def remove(database: Database, what: Literal["driver", "trailer"], code: str) -> bool:
    """Whether there was one. InUseError where assignments name it: they say who drove what."""
    try:
        with database.transaction():
            statement = queries("registry")[f"remove_{what}"]
            return database.execute(statement, {"code": code}).fetchone() is not None
    except psycopg.errors.ForeignKeyViolation as error:
        raise InUseError(
            f"{what.capitalize()} {code} stands in assignments, which say who and what was on which"
            f" vehicle; remove those first, if they were entered by mistake"
        ) from error
