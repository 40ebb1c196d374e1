"""A small world in the store: two sites, two vehicles, one on its way, with stock and an alert."""

from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from waystock.contract.live import StockEntity, TransitEntity
from waystock.contract.masterdata import (
    Device,
    Fence,
    Gateway,
    Location,
    MasterData,
    OpeningStock,
    OrderLine,
    Party,
    Product,
    ReorderPoint,
    SalesOrder,
    Shipment,
    ShipmentStop,
    Site,
    Vehicle,
)
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data

GTIN = "09501101530003"
SSCC = "395011015300000011"
NOW = datetime.now(UTC).replace(microsecond=0)


def square(lon: float, lat: float, half: float = 0.01) -> dict[str, Any]:
    low_lon, high_lon, low_lat, high_lat = lon - half, lon + half, lat - half, lat + half
    ring = [[low_lon, low_lat], [high_lon, low_lat], [high_lon, high_lat], [low_lon, high_lat]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def master_data() -> MasterData:
    hour = timedelta(hours=1)
    stop = ShipmentStop(
        seq=1, name={"en": "Suzhou store", "zh": "苏州店"}, fence="store-1", customer="shop",
        window_start=NOW, window_end=NOW + 2 * hour,
    )  # fmt: skip
    return MasterData(
        sites=(
            Site(site="sha", name={"en": "Shanghai", "zh": "上海"}, lat=31.2, lon=121.4),
            Site(site="ber", name={"en": "Berlin", "zh": "柏林"}, lat=52.5, lon=13.4),
        ),
        locations=tuple(
            Location(
                location=f"sha/{place}", site="sha", zone=zone, gln="9501101530003",
                gln_extension=place,
            )
            for place, zone in (("dock-1", "dock"), ("bin-1", "pick"), ("bin-2", "reserve"))
        ),
        products=tuple(
            Product(gtin=f"{int(GTIN) + n:014}", name={"en": f"Tea {n}", "zh": f"茶{n}"})
            for n in range(5)
        ),
        reorder_points=(ReorderPoint(site="sha", gtin=GTIN, reorder_point=10),),
        parties=(Party(party="shop", role="customer", name={"en": "Shop", "zh": "商店"}),),
        vehicles=(Vehicle(vehicle="truck-1", plate="沪A1"), Vehicle(vehicle="truck-2", plate="B2")),
        gateways=(Gateway(site="sha", gateway="gw-1"), Gateway(site="sha", gateway="gw-2")),
        devices=(
            Device(device="gps-1", kind="gps", biz_step="tracking", vehicle="truck-1"),
            Device(
                device="scan-1", kind="scanner", biz_step="receiving", read_point="sha/dock-1"
            ),
        ),
        fences=(
            Fence(
                fence="store-1", name={"en": "Store", "zh": "店"}, kind="customer",
                geometry=square(120.6, 31.3),
            ),
        ),
        shipments=(
            Shipment(
                shipment="ship-1", vehicle="truck-1", from_site="sha", dock_door="sha/dock-1",
                depart_at=NOW - hour, route=((121.4, 31.2), (120.6, 31.3)), stops=(stop,),
                lpns=(SSCC,),
            ),
            Shipment(
                shipment="ship-2", vehicle="truck-2", from_site="sha", depart_at=NOW + hour,
                route=((121.4, 31.2), (120.6, 31.3)), stops=(stop,),
            ),
        ),
        sales_orders=tuple(
            SalesOrder(
                sales_order=name, customer="shop", site="sha", promised_at=NOW, priority=priority,
                lines=(OrderLine(gtin=GTIN, quantity=1),), shipment="ship-1",
            )
            for name, priority in (("so-1", 5), ("so-2", 1))
        ),
        opening_stock=tuple(
            OpeningStock(location=f"sha/{place}", gtin=GTIN, quantity=quantity, as_of=NOW - hour)
            for place, quantity in (("bin-1", 4), ("bin-2", 8))
        ),
    )  # fmt: skip


def fill(database_url: str) -> None:
    """Master data, a vehicle on its way with twenty fixes and a load, alerts, statuses, rejects."""
    with connect(database_url, "test") as database:
        import_master_data(database, master_data())
        database.execute(
            "INSERT INTO vehicle_state (vehicle, fix_time, lat, lon, speed_mps, motion, shipment,"
            " next_stop, remaining_m, eta, window_end, late_s) VALUES ('truck-1', %s, 31.25, 121,"
            " 15, 'moving', 'ship-1', 1, 40000, %s, %s, 900)",
            (NOW, NOW + timedelta(hours=3), NOW + timedelta(hours=2)),
        )
        for n in range(20):
            at = NOW - timedelta(minutes=n)
            database.execute(
                "INSERT INTO fix (time, captured_at, received_at, stream_id, stream_offset, device,"
                " clock, quality, lat, lon) VALUES (%s, %s, %s, 1, %s, 'gps-1', 'gps', '{}',"
                " 31.2, 121.4)",
                (at, at, at, n),
            )
        database.execute(
            "INSERT INTO stock_position (location, gtin, lot, lpn, on_hand, changed_at)"
            " VALUES ('vehicle/truck-1', %s, '', %s, 6, now()),"
            " ('supplier/acme', %s, '', '', -18, now())",
            (GTIN, SSCC, GTIN),
        )
        for n in range(3):
            database.execute(
                "INSERT INTO alert (alert_id, type, severity, site, subject, opened_at, cleared_at,"
                " figures, orders, recorded_at, changed_at, decided_at)"
                " VALUES (%s, 'stock.low', 'warning', 'sha', %s, %s, %s, %s, '{so-2}', now(),"
                " now(), now())",
                (
                    f"a{n}", f"sha/{GTIN}", NOW - timedelta(minutes=n), NOW if n else None,
                    Jsonb({"on_hand": 4, "reorder_point": 10}),
                ),
            )  # fmt: skip
        report = {"queue_depth": 3, "oldest_unsent_s": 1.5, "devices": {"scan-1": 2.0, "x": -1}}
        database.execute(
            "INSERT INTO gateway_status VALUES ('sha', 'gw-1', 'online', now(), now(), %s)",
            (Jsonb(report),),
        )
        database.execute(
            "INSERT INTO dead_letter (topic, stage, reason, payload)"
            " VALUES ('waystock/v1/sha/gw-1/events', 'decode', 'malformed', '\\x80ff7b')"
        )


def truck(version: int, lat: float, **fields: Any) -> TransitEntity:
    known: dict[str, Any] = {
        "plate": "沪A1", "lon": 121.0, "speed_mps": 15.0, "course_deg_true": None, "fix_time": NOW,
        "motion": "moving", "shipment": "ship-1",
    }  # fmt: skip
    return TransitEntity(
        key="truck-1", vehicle="truck-1", version=version, lat=lat, **(known | fields)
    )


def later(seconds: float = 3600) -> int:
    """A version newer than what the store has."""
    return int((datetime.now(UTC).timestamp() + seconds) * 1_000_000)


def tea(on_hand: int, version: int, site: str = "sha", gtin: str = GTIN) -> StockEntity:
    return StockEntity(key=f"{site}/{gtin}", version=version, site=site, gtin=gtin, on_hand=on_hand)
