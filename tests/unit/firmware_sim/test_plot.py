"""A rehearsed day: every act happens, every alert has its cause, only what was sent is told."""

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
import pynmea2
import pytest

from tests.unit.firmware_sim.rehearsal import Rehearsal
from waystock_firmware_sim.world.geography import LonLat, Path, distance_m
from waystock_firmware_sim.world.shelves import LOW_PRODUCT


@pytest.fixture(scope="module")
def minute() -> Rehearsal:
    return Rehearsal().play(60)


@pytest.fixture(scope="module")
def half_hour() -> Rehearsal:
    return Rehearsal().play(1_800)


def _metres_off(path: Path, point: LonLat) -> float:
    return min(distance_m(path.at(m).point, point) for m in range(0, int(path.length_m), 25))


def _fixes(rehearsal: Rehearsal, device: str) -> list[LonLat]:
    fixes: list[LonLat] = []
    for burst in rehearsal.lines[device].frames:
        for line in burst.decode("ascii").split("\r\n"):
            if "RMC" in line and ",A," in line:
                sentence: Any = pynmea2.parse(line, check=True)
                fixes.append((sentence.longitude, sentence.latitude))
    return fixes


def test_all_five_alerts_are_caused_within_half_a_minute(minute: Rehearsal) -> None:
    early = Rehearsal().play(35)
    expected = {
        ("shipment.late_predicted", minute.world.trip_of("late").shipment.shipment),
        ("vehicle.off_route", minute.world.trip_of("off_route").truck.vehicle),
        ("load.wrong_vehicle", minute.world.load_at("sha/dock-out-1").pallets[1].sscc),
        ("receipt.short", minute.world.inbound["sha"].orders[1].purchase_order),
        ("stock.low", f"sha/{minute.world.product(LOW_PRODUCT).gtin}"),
    }
    assert {(one["type"], one["subject"]) for one in early.told("alert")} == expected
    assert len(minute.told("alert")) == 5


def test_same_seeds_speak_the_same_bytes(minute: Rehearsal) -> None:
    again = Rehearsal().play(60)
    assert {name: line.frames for name, line in again.lines.items()} == {
        name: line.frames for name, line in minute.lines.items()
    }
    assert {name: up.payloads for name, up in again.uplinks.items()} == {
        name: up.payloads for name, up in minute.uplinks.items()
    }
    assert again.truth == minute.truth


def test_no_scanner_reads_the_same_code_twice_in_a_row(minute: Rehearsal) -> None:
    for device in {one["device"] for one in minute.told("barcode")}:
        codes = [one["data"] for one in minute.told("barcode") if one["device"] == device]
        assert all(a != b for a, b in pairwise(codes)), device


def test_one_announced_pallet_never_comes(minute: Rehearsal) -> None:
    short = minute.world.inbound["sha"].orders[1]
    scanned = "\n".join(one["data"] for one in minute.told("barcode"))
    seen = [pallet.sscc in scanned for pallet in short.pallets]
    assert seen == [True, True, True, False]
    assert f"400{short.purchase_order}" in scanned


def test_every_tag_that_arrived_has_departed_once(minute: Rehearsal) -> None:
    rehearsal = Rehearsal().play(600)
    assert rehearsal.finish(within_s=4.5)
    told = Counter((one["epc"], one["presence"]) for one in rehearsal.told("rfid"))
    assert set(told.values()) == {1}
    assert {epc for epc, presence in told if presence == "arrived"} == {
        epc for epc, presence in told if presence == "departed"
    }


def test_a_tag_stays_long_enough_and_is_read_often(minute: Rehearsal) -> None:
    arrived = {
        one["epc"]: one["time"] for one in minute.told("rfid") if one["presence"] == "arrived"
    }
    for one in minute.told("rfid"):
        if one["presence"] == "departed":
            stay = datetime.fromisoformat(one["time"]) - datetime.fromisoformat(arrived[one["epc"]])
            assert stay.total_seconds() > 4 + 3
            notices = [
                frame
                for frame in minute.lines[one["device"]].frames
                if bytes.fromhex(one["epc"]) in frame
            ]
            assert len(notices) >= 15


def test_the_lost_truck_leaves_its_route_for_good_and_the_others_never(minute: Rehearsal) -> None:
    for trip in minute.world.trips:
        if trip.truck.link != "serial":
            continue
        path = Path(trip.points)
        ahead = Path(path.cut(max(0.0, trip.started_m - 2_000), trip.started_m + 8_000))
        off_m = [_metres_off(ahead, point) for point in _fixes(minute, trip.truck.device)]
        if trip.truck.role == "off_route":
            assert off_m[25] > 300
            assert off_m[25:] == sorted(off_m[25:])
        else:
            assert max(off_m) < 30, trip.truck.vehicle


def test_trucks_keep_the_pace_of_the_road(minute: Rehearsal) -> None:
    for trip in minute.world.trips:
        if trip.truck.link != "serial" or trip.truck.role == "off_route":
            continue
        fixes = _fixes(minute, trip.truck.device)
        pace_mps = distance_m(fixes[0], fixes[-1]) / (len(fixes) - 1)
        if trip.truck.role == "dock":
            assert pace_mps < 1
        elif trip.truck.role == "late":
            assert 2.5 < pace_mps < 4.5
        else:
            assert 9 < pace_mps < 26, trip.truck.vehicle


def test_every_fix_told_was_sent_by_its_tracker(minute: Rehearsal) -> None:
    for device, uplink in minute.uplinks.items():
        sent = [msgspec.json.decode(payload)["time"] for payload in uplink.payloads]
        told = [one["time"] for one in minute.told("position") if one["device"] == device]
        assert told == sent[: len(told)]
        assert len(sent) - len(told) <= 1
        assert len(set(sent)) == len(sent)


def test_a_quiet_half_hour_brings_no_further_alert_and_no_pause(half_hour: Rehearsal) -> None:
    scans = half_hour.told("barcode")
    first = datetime.fromisoformat(scans[0]["time"])
    per_minute = Counter(
        int((datetime.fromisoformat(one["time"]) - first).total_seconds() // 60) for one in scans
    )
    assert all(per_minute[minute] > 60 for minute in range(29))
    assert len(half_hour.told("alert")) == 5
    # Trucks with little left have arrived and rest; they still say where they are.
    for trip in half_hour.world.trips:
        remaining_m = Path(trip.points).length_m - trip.started_m
        if trip.truck.role == "plain" and trip.truck.link == "serial" and remaining_m < 30_000:
            last = _fixes(half_hour, trip.truck.device)[-1]
            assert distance_m(last, trip.points[-1]) < 20


def test_stock_is_never_picked_from_an_empty_bin_or_below_its_reorder_point(
    half_hour: Rehearsal,
) -> None:
    world = half_hour.world
    bins: Counter[tuple[str, str]] = Counter()
    for one in world.master_data.opening_stock:
        if not one.location.startswith("vehicle/"):
            bins[one.location, one.gtin] += one.quantity
    labels = {
        f"414{one.gln}254{one.gln_extension}": one.location for one in world.master_data.locations
    }
    contents = {
        pallet.sscc: (pallet.gtin, pallet.quantity)
        for order in world.master_data.purchase_orders
        for pallet in order.pallets
    }
    before: dict[str, str] = {}
    place: dict[str, str] = {}
    for scan in half_hour.told("barcode"):
        device, data = scan["device"], scan["data"]
        if "-put-" in device and data in labels:
            gtin, quantity = contents[before[device][2:]]
            bins[labels[data], gtin] += quantity
        if "-pick-" in device:
            if data in labels:
                place[device] = labels[data]
            elif not data.startswith("00"):
                gtin = f"0{data}" if len(data) == 13 else data[2:16]
                quantity = 1 if len(data) == 13 else int(data[16:].split("\x1d")[-1][2:])
                bins[place[device], gtin] -= quantity
                assert bins[place[device], gtin] >= 0
        before[device] = data
    low = world.product(LOW_PRODUCT).gtin
    total: Counter[tuple[str, str]] = Counter()
    for (location, gtin), quantity in bins.items():
        total[location.split("/")[0], gtin] += quantity
    below = [
        (point.site, point.gtin)
        for point in world.master_data.reorder_points
        if total[point.site, point.gtin] < point.reorder_point
    ]
    assert below == [("sha", low)]


def test_a_run_that_begins_late_still_shows_a_late_truck() -> None:
    rehearsal = Rehearsal(late_start_s=300).play(40)
    trip = rehearsal.world.trip_of("late")
    first = _fixes(rehearsal, trip.truck.device)[0]
    start = Path(trip.points).at(trip.started_m).point
    assert distance_m(first, start) == pytest.approx(300 * 3.5, rel=0.15)
