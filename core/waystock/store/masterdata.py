"""Import of the master-data document, in one transaction. Importing it again changes nothing; a
changed document changes what it names and removes nothing.
"""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from waystock.contract.identifiers import iso_utc
from waystock.contract.masterdata import MasterData, OpeningStock
from waystock.fleet.plan import FleetPlan
from waystock.stock.interpret import Operation
from waystock.store import offsets
from waystock.store.assignments import add_missing
from waystock.store.connection import Database
from waystock.store.directory import load_master
from waystock.store.fences import check_fence_rules
from waystock.store.limits import check_vehicles
from waystock.store.sql import queries
from waystock.store.stock import apply_operations
from waystock.store.stock_alerts import raise_stock_alerts

OPENING_STREAM = UUID("0197a000-0000-7000-8000-000000000001")
"""The stream that opening stock is booked under, as readings are under their outbox's."""


class Imported(NamedTuple):
    """What an import did."""

    records: dict[str, int]
    opening_booked: int
    opening_known: int


def import_master_data(database: Database, master_data: MasterData) -> Imported:
    """Write the document; the caller's transaction decides. psycopg.IntegrityError names what a
    record refers to that isn't there, ValueError a fence whose geometry can't be used, an
    assignment that contradicts another one of the document, or a carrier that isn't there.
    """
    FleetPlan.build(master_data.fences, master_data.shipments)
    _refuse_two_places(master_data)
    for fence in master_data.fences:
        check_fence_rules(fence)
    check_vehicles(database, master_data)
    tables = _tables(master_data)
    for name, rows in tables.items():
        if rows:
            database.execute(queries("masterdata")[name], {"rows": Jsonb(rows)})
    added = add_missing(database, master_data.assignments)
    _check_carriers(database)
    database.execute(queries("masterdata")["bump"])
    booked = _book_opening(database, master_data)
    return Imported(
        {name: len(rows) for name, rows in tables.items()}
        | {"assignments": added.made, "assignments_in_the_way": added.in_the_way},
        booked,
        len(master_data.opening_stock) - booked,
    )


def _refuse_two_places(data: MasterData) -> None:
    listed = {one.device for one in data.assignments if one.device}
    for device in data.devices:
        if device.vehicle and device.device in listed:
            raise ValueError(
                f"device {device.device} has a vehicle and assignments: leave its vehicle out, the"
                " assignments say where it is"
            )


def _check_carriers(database: Database) -> None:
    stray = database.execute(queries("masterdata")["stray_carrier"]).fetchone()
    if stray:
        raise ValueError(f"vehicle {stray[0]!r}: there is no party {stray[1]!r} to be its carrier")


def _tables(data: MasterData) -> dict[str, list[dict[str, Any]]]:
    """Rows by the name of the statement that writes them, in an order that references allow."""
    flat: dict[str, Any] = msgspec.to_builtins(data)
    orders, shipments, sales = flat["purchase_orders"], flat["shipments"], flat["sales_orders"]
    return {
        "sites": flat["sites"],
        "locations": flat["locations"],
        "products": flat["products"],
        "reorder_points": flat["reorder_points"],
        "parties": flat["parties"],
        "vehicle_classes": flat.get("vehicle_classes", []),
        "vehicles": flat["vehicles"],
        "gateways": flat["gateways"],
        "devices": flat["devices"],
        "drivers": flat["drivers"],
        "trailers": flat["trailers"],
        "fences": flat["fences"],
        "purchase_orders": orders,
        "purchase_order_lines": _children(orders, "lines", "purchase_order"),
        "asn_pallets": _children(orders, "pallets", "purchase_order"),
        "shipments": shipments,
        "shipment_stops": _children(shipments, "stops", "shipment"),
        "shipment_lpns": [
            {"shipment": one["shipment"], "lpn": lpn} for one in shipments for lpn in one["lpns"]
        ],
        "sales_orders": sales,
        "sales_order_lines": _children(sales, "lines", "sales_order"),
        "detention_rates": flat["detention_rates"],
    }


def _children(parents: list[dict[str, Any]], field: str, key: str) -> list[dict[str, Any]]:
    return [{**child, key: parent[key]} for parent in parents for child in parent[field]]


def _book_opening(database: Database, data: MasterData) -> int:
    """Book opening stock as operations that the ledger folds; what is known is left alone."""
    by_document = {_document(one): one for one in data.opening_stock}
    state = offsets.lock_streams(database, {OPENING_STREAM: ("import", "opening")})[OPENING_STREAM]
    known = {
        row[0]
        for row in database.execute(
            queries("masterdata")["known_openings"], {"documents": list(by_document)}
        )
    }
    first = state.committed[-1][1] if state.committed else 0
    operations = [
        _opening(state.stream_id, first + index, document, one)
        for index, (document, one) in enumerate(
            (document, one) for document, one in by_document.items() if document not in known
        )
    ]
    if operations:
        master = load_master(database)
        change = apply_operations(database, [], operations, master.directory)
        raise_stock_alerts(database, change, master.directory, master.names)
        offsets.unite(database, {state.stream_id: [(first, first + len(operations))]})
    return len(operations)


def _document(one: OpeningStock) -> str:
    return f"opening:{one.location}:{one.gtin}:{one.lot}:{one.lpn}:{iso_utc(one.as_of)}"


def _opening(stream_id: int, offset: int, document: str, one: OpeningStock) -> Operation:
    return Operation(
        stream_id=stream_id,
        stream_offset=offset,
        occurred_at=one.as_of,
        captured_at=one.as_of,
        device="import",
        kind="opening",
        lpn=one.lpn,
        gtin=one.gtin,
        lot=one.lot,
        quantity=one.quantity,
        from_location="adjustment/opening",
        to_location=one.location,
        document=document,
    )
