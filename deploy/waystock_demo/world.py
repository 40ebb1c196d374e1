"""The simulated world of one run: written anew at each start, from the same seed, beginning now.
Its orders, shipments and pallets have new numbers each time, so what earlier runs left in the store
stays true. Upstream: `waystock sim world`, the store; downstream: `waystock db import`, simulators.

The day before was broken off when the demo stopped, so the new document ends it: trips that were
under way are over, trucks keep what they carry, and shelves are filled up to where a day begins.
"""

import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from waystock.contract.identifiers import iso_utc
from waystock.contract.masterdata import (
    MasterData,
    OpeningStock,
    Shipment,
    decode_master_data,
    encode_master_data,
)
from waystock.store.api import POSITIONS, fetch_page
from waystock.store.connection import connect
from waystock_demo.process import Command, run
from waystock_demo.services import waystock

WORLDS_APART = timedelta(minutes=1)
"""Documents are numbered by the minute in which their world begins."""
_WITHIN_S = 60.0
_PAGE_ROWS = 1_000
_ON_ROAD = "vehicle/"

Place = tuple[str, str, str, str]
"""Location, GTIN, lot, licence plate."""


def make_world(folder: Path, seed: int, start: datetime) -> MasterData:
    """Write the world into `folder`, instead of what was there. Raises RuntimeError."""
    shutil.rmtree(folder, ignore_errors=True)
    run(
        Command(
            name="waystock sim world",
            argv=waystock(
                "sim", "world", "--seed", str(seed), "--start", iso_utc(start),
                "--out", str(folder),
            ),
        ),
        timeout_s=_WITHIN_S,
    )  # fmt: skip
    return decode_master_data((folder / "masterdata.json").read_bytes())


def new_day(
    world: MasterData,
    before: MasterData | None,
    on_hand: Mapping[Place, int],
    now: datetime,
) -> MasterData:
    """What to import so that `world` begins where the day `before` it ended; in an empty store that
    is `world` itself.
    """
    ended = tuple(_ended(one, now) for one in before.shipments) if before else ()
    return msgspec.structs.replace(
        world,
        shipments=(*ended, *world.shipments),
        opening_stock=tuple(_lacking(world.opening_stock, on_hand, now)),
    )


def _ended(shipment: Shipment, at: datetime) -> Shipment:
    return msgspec.structs.replace(shipment, closed_at=shipment.closed_at or at)


def _lacking(
    opening: tuple[OpeningStock, ...], on_hand: Mapping[Place, int], now: datetime
) -> Iterator[OpeningStock]:
    laden = {location for location, *_ in on_hand if location.startswith(_ON_ROAD)}
    for stock in opening:
        there = on_hand.get((stock.location, stock.gtin, stock.lot, stock.lpn), 0)
        if stock.location not in laden and stock.quantity > there:
            as_of = now if on_hand else stock.as_of
            yield msgspec.structs.replace(stock, quantity=stock.quantity - there, as_of=as_of)


def read_document(file: Path) -> MasterData | None:
    """A master-data document that was kept, if there is one."""
    return decode_master_data(file.read_bytes()) if file.exists() else None


def write_document(file: Path, document: MasterData) -> None:
    """Keep a master-data document, or hand it to `waystock db import`."""
    file.write_bytes(encode_master_data(document))


def read_stock(database_url: str) -> dict[Place, int]:
    """What lies where, by the store."""
    on_hand: dict[Place, int] = {}
    with connect(database_url, "demo") as database:
        after: tuple[str, ...] | None = None
        while True:
            rows, after = fetch_page(database, POSITIONS, {"outside": False}, after, _PAGE_ROWS)
            on_hand |= {(row.location, row.gtin, row.lot, row.lpn): row.on_hand for row in rows}
            if after is None:
                return on_hand
