"""Master data as ingest holds it in memory: read whole at start and whenever its version grows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from waystock.contract.masterdata import Device, Fence, Shipment, ShipmentStop, Words
from waystock.fleet.assignments import FOREVER_US, Assignments, Span
from waystock.fleet.plan import instant_us
from waystock.fleet.records import UNKNOWN_US
from waystock.stock.interpret import AnnouncedPallet, Appointment, Directory, ShipmentPlan
from waystock.store.connection import Database
from waystock.store.fences import load_fences
from waystock.store.limits import FleetLimits, load_limits
from waystock.store.sql import queries


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What things are called: for sentences that people read."""

    products: dict[str, Words]
    sites: dict[str, Words]
    parties: dict[str, Words]
    plates: dict[str, str]
    """Vehicle → number plate."""
    home_sites: dict[str, str]
    """Vehicle → its home site, of those that have one."""
    time_zones: dict[str, str]
    """Site → its time zone."""
    site_by_shipment: dict[str, str]


def in_words(what: str, names: Mapping[str, Words], key: str) -> dict[str, str]:
    """`{what}_en` and `{what}_zh` of one thing; its code where it has no name."""
    words = names.get(key, {})
    return {f"{what}_en": words.get("en", key), f"{what}_zh": words.get("zh", key)}


class MasterSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that interpreting readings needs, as of one version."""

    version: int
    directory: Directory
    names: Names
    devices: dict[str, Device]
    """Without their vehicles: those change, see `assignments`."""
    assignments: Assignments
    fences: tuple[Fence, ...]
    shipments: tuple[Shipment, ...]
    limits: FleetLimits


def master_version(database: Database) -> int:
    """The number that every change of master data raises."""
    row = database.execute(queries("ingest")["master_version"]).fetchone()
    return row[0] if row else 0


def master_version_held(database: Database) -> int:
    """The same; and no assignment changes until the transaction ends, so that what is attributed by
    this version is there for whoever changes it to fold again."""
    row = database.execute(queries("ingest")["master_version_held"]).fetchone()
    assert row is not None
    return row[0]


def load_master(database: Database) -> MasterSnapshot:
    """The current master data; call within one transaction so that it is of one piece."""
    version = master_version(database)
    products = _rows(database, "products")
    devices = [
        Device(device=row[0], kind=row[1], biz_step=row[2], read_point=row[3])
        for row in _rows(database, "devices")
    ]
    return MasterSnapshot(
        version=version,
        directory=_directory(database, products),
        names=_names(database, products),
        devices={one.device: one for one in devices},
        assignments=Assignments(_spans(database)),
        fences=tuple(load_fences(database)),
        limits=load_limits(database),
        shipments=_shipments(database),
    )


def _spans(database: Database) -> Iterator[Span]:
    for device, vehicle, since, until in _rows(database, "assignments"):
        from_us = UNKNOWN_US if since is None else instant_us(since)
        yield Span(device, vehicle, from_us, FOREVER_US if until is None else instant_us(until))


def _names(database: Database, products: list[tuple[Any, ...]]) -> Names:
    sites, vehicles = _rows(database, "sites"), _rows(database, "vehicles")
    return Names(
        products={row[0]: row[2] for row in products},
        sites={row[0]: row[1] for row in sites},
        parties=dict(_rows(database, "parties")),  # type: ignore[arg-type]
        plates={row[0]: row[1] for row in vehicles},
        home_sites={row[0]: row[2] for row in vehicles if row[2] is not None},
        time_zones={row[0]: row[2] for row in sites},
        site_by_shipment={row[0]: row[2] for row in _rows(database, "shipments")},
    )


def _directory(database: Database, products: list[tuple[Any, ...]]) -> Directory:
    locations = _rows(database, "locations")
    appointments: dict[str, list[Appointment]] = {}
    for door, starts_at, ends_at, shipment, vehicle in _rows(database, "appointments"):
        appointments.setdefault(door, []).append(Appointment(starts_at, ends_at, shipment, vehicle))
    return Directory(
        location_by_gln={(row[2], row[3]): row[0] for row in locations},
        site_by_location={row[0]: row[1] for row in locations},
        asn_by_sscc={row[0]: AnnouncedPallet(*row[1:]) for row in _rows(database, "asn")},
        supplier_by_purchase_order=dict(_rows(database, "purchase_orders")),  # type: ignore[arg-type]
        lot_tracked={row[0]: row[1] for row in products},
        appointments_by_door=appointments,
        plan_by_lpn={row[0]: ShipmentPlan(*row[1:]) for row in _rows(database, "plans")},
    )


def _shipments(database: Database) -> tuple[Shipment, ...]:
    return as_shipments(_rows(database, "shipments"), _rows(database, "stops"))


def as_shipments(
    shipments: Iterable[tuple[Any, ...]], stop_rows: Iterable[tuple[Any, ...]]
) -> tuple[Shipment, ...]:
    """Of rows of both tables, in their columns' order in the queries."""
    stops: dict[str, list[ShipmentStop]] = {}
    for shipment, seq, name, fence, customer, window_start, window_end in stop_rows:
        stops.setdefault(shipment, []).append(
            ShipmentStop(
                seq=seq,
                name=name,
                fence=fence,
                customer=customer,
                window_start=window_start,
                window_end=window_end,
            )
        )
    return tuple(
        Shipment(
            shipment=row[0],
            vehicle=row[1],
            from_site=row[2],
            dock_door=row[3],
            door_from=row[4],
            door_to=row[5],
            depart_at=row[6],
            route=tuple((lon, lat) for lon, lat in row[7]),
            planned_speed_mps=row[8],
            closed_at=row[9],
            stops=tuple(stops.get(row[0], ())),
        )
        for row in shipments
    )


def _rows(database: Database, name: str) -> list[tuple[Any, ...]]:
    return database.execute(queries("directory")[name]).fetchall()
