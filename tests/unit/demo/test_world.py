"""A restarted demo: a new day in a store that holds the day before."""

from datetime import UTC, datetime, timedelta

from waystock.contract.masterdata import MasterData, OpeningStock, Shipment, ShipmentStop
from waystock_demo.world import new_day

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
GTIN = "09527001000019"


def opening(location: str, quantity: int, lpn: str = "") -> OpeningStock:
    return OpeningStock(location=location, gtin=GTIN, lpn=lpn, quantity=quantity, as_of=EARLIER)


def shipment(number: int) -> Shipment:
    stop = ShipmentStop(
        seq=1,
        name={"en": "Shop", "zh": "商店"},
        fence="shop",
        window_start=NOW,
        window_end=NOW + timedelta(hours=4),
    )
    return Shipment(
        shipment=f"SH-{number}",
        vehicle="truck-01",
        from_site="sha",
        depart_at=EARLIER,
        route=((121.0, 31.0), (121.1, 31.1)),
        stops=(stop,),
    )


def test_an_empty_store_gets_the_world_as_it_is() -> None:
    world = MasterData(
        opening_stock=(opening("sha/P-01", 10), opening("vehicle/truck-01", 5, "3" * 18)),
        shipments=(shipment(1),),
    )
    assert new_day(world, None, {}, NOW) == world


def test_shelves_are_filled_up_and_never_doubled() -> None:
    world = MasterData(opening_stock=(opening("sha/P-01", 10), opening("sha/P-02", 10)))
    on_hand = {("sha/P-01", GTIN, "", ""): 7, ("sha/P-02", GTIN, "", ""): 12}
    booked = new_day(world, None, on_hand, NOW).opening_stock
    assert [(one.location, one.quantity, one.as_of) for one in booked] == [("sha/P-01", 3, NOW)]


def test_a_truck_that_still_carries_goods_is_not_loaded_a_second_time() -> None:
    world = MasterData(
        opening_stock=(
            opening("vehicle/truck-01", 5, "3" * 18),
            opening("vehicle/truck-02", 5, "4" * 18),
        )
    )
    on_hand = {("vehicle/truck-01", GTIN, "", "9" * 18): 5}
    booked = new_day(world, None, on_hand, NOW).opening_stock
    assert [one.location for one in booked] == ["vehicle/truck-02"]


def test_yesterdays_trip_does_not_hold_up_todays() -> None:
    before = MasterData(shipments=(shipment(1),))
    world = MasterData(shipments=(shipment(2),))
    ended, today = new_day(world, before, {}, NOW).shipments
    assert ended.shipment == "SH-1"
    assert ended.closed_at == NOW
    assert ended.stops == before.shipments[0].stops
    assert today == world.shipments[0]
