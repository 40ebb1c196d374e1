"""Alerts read as an operator would say them, in both languages, whatever figures are at hand."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.alerts.sentences import LANGUAGES, sentence, sentences
from waystock.alerts.types import ALERT_TYPES

LATE: dict[str, float | str] = {
    "vehicle": "truck-07",
    "plate": "沪A·12345",
    "destination_en": "Suzhou",
    "destination_zh": "苏州",
    "late_s": 840.0,
    "eta": "2026-11-23T03:42:00.000000Z",
    "window_end": "2026-11-23T03:28:00.000000Z",
    "time_zone": "Asia/Shanghai",
}
TYPES = [alert.type for alert in ALERT_TYPES]
KEYS = sorted({key for alert in ALERT_TYPES for key in alert.figures} | {"plate", "time_zone"})


def test_a_late_truck_is_told_with_its_times_and_the_orders_it_hits() -> None:
    orders = ["SO-1", "SO-2", "SO-3"]
    said = sentences("shipment.late_predicted", "SH-1003", LATE, orders)
    assert said["en"] == (
        "Shipment SH-1003 (truck 沪A·12345) will reach Suzhou about 14 minutes late "
        "(11:42, window ends 11:28). 3 orders are hit: SO-1, SO-2, SO-3. "
        "Tell the receiver, or agree on a later window."
    )
    assert said["zh"] == (
        "运单 SH-1003（车辆 沪A·12345）预计到达苏州，晚点约 14 分钟"
        "（预计 11:42，时间窗截止 11:28）。影响 3 个订单：SO-1、SO-2、SO-3。"
        "请通知收货方或改约时间。"
    )


def test_a_late_truck_says_why_and_what_to_do_about_it() -> None:
    figures: dict[str, float | str] = {**LATE, "cause": "halt", "units": 240.0, "pallets": 3.0}
    said = sentences("shipment.late_predicted", "SH-1003", figures, ["SO-1"])
    assert said["en"] == (
        "Shipment SH-1003 (truck 沪A·12345) will reach Suzhou about 14 minutes late "
        "(11:42, window ends 11:28): it stands on the way. 1 order is hit: SO-1: 240 units on "
        "3 pallets. Call the driver and ask why, then tell the receiver."
    )
    assert said["zh"] == (
        "运单 SH-1003（车辆 沪A·12345）预计到达苏州，晚点约 14 分钟"
        "（预计 11:42，时间窗截止 11:28），原因：车辆在途中停留。影响 1 个订单：SO-1。"
        "涉及货物 240 件、3 托盘。请联系司机了解原因，并通知收货方。"
    )


def test_what_is_not_known_of_a_departure_is_said_to_be_so() -> None:
    figures: dict[str, float | str] = {
        "plate": "沪A·12345",
        "site_en": "Shanghai",
        "site_zh": "上海",
        "depart_at": "2026-11-23T03:00:00Z",
        "last_seen": "2026-11-23T02:10:00Z",
        "time_zone": "Asia/Shanghai",
    }
    said = sentences("shipment.late_departure", "SH-9", figures, [])
    assert said["en"] == (
        "Shipment SH-9 (truck 沪A·12345) was to leave Shanghai at 11:00; whether it has is not "
        "known: the truck was not heard of since 10:10. Call the driver; look at its tracker."
    )
    assert "是否已发车未知" in said["zh"]


def test_without_a_time_zone_the_time_is_said_to_be_utc() -> None:
    figures = {key: value for key, value in LATE.items() if key != "time_zone"}
    assert "(03:42 UTC, window ends 03:28 UTC)" in sentence(
        "shipment.late_predicted", "SH-1003", figures, [], "en"
    )
    unknown: dict[str, float | str] = {**figures, "time_zone": "Mars/Olympus"}
    assert "03:42 UTC" in sentence("shipment.late_predicted", "SH-1003", unknown, [], "zh")


def test_a_cleared_alert_says_how_it_ended() -> None:
    def ended(how: str) -> str:
        figures: dict[str, float | str] = {**LATE, "ended": how}
        return sentence("shipment.late_predicted", "SH-1003", figures, [], "en")

    assert "in time again" in ended("recovered")
    assert "has reached Suzhou 14 minutes late." in ended("arrived")
    assert "is over" in ended("shipment_over")


def test_a_wrong_pallet_names_both_trucks() -> None:
    figures: dict[str, float | str] = {
        "lpn": "395011015300000014",
        "loaded_on": "truck-02",
        "belongs_on": "truck-05",
        "shipment": "SH-9",
        "door": "sha/d2",
    }
    said = sentences("load.wrong_vehicle", "395011015300000014", figures, ["SO-4"])
    assert said["en"] == (
        "Pallet 395011015300000014 was loaded on truck truck-02 at door sha/d2, but belongs on "
        "truck truck-05 (shipment SH-9). 1 order is hit: SO-4. Take it off before the truck leaves."
    )
    assert "应装车辆 truck-05（运单 SH-9）" in said["zh"]


def test_a_truck_at_another_one_s_door_is_told_with_whom_it_belongs_to() -> None:
    figures: dict[str, float | str] = {
        "plate": "沪A·1", "door": "sha/d2", "expected_plate": "沪A·2", "shipment": "SH-9",
    }  # fmt: skip
    said = sentences("dock.wrong_vehicle", "truck-01", figures, [])
    assert said["en"] == (
        "Truck 沪A·1 stands at door sha/d2, which is planned for truck 沪A·2 now (shipment SH-9). "
        "Send it away before anything is loaded."
    )
    assert said["zh"] == (
        "车辆 沪A·1 停在sha/d2 道口，该道口此时应停车辆 沪A·2（运单 SH-9）。请在装货前让其驶离。"
    )


def test_a_short_receipt_says_how_much_is_missing_even_if_it_must_reckon_it() -> None:
    figures: dict[str, float | str] = {"expected": 480.0, "received": 432.0, "product_en": "Tea"}
    assert "48 of Tea missing (432 of 480 received)" in sentence(
        "receipt.short", "PO-1", figures, [], "en"
    )


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        (None, "Check what is on order"),
        (0.0, "Nothing is on order"),
        (1200.0, "1,200 are on order"),
    ],
)
def test_low_stock_says_whether_more_is_coming(expected: float | None, told: str) -> None:
    figures: dict[str, float | str] = {"on_hand": 12.0, "reorder_point": 20.0}
    if expected is not None:
        figures["expected"] = expected
    said = sentence("stock.low", "sha/09501101530003", figures, [], "en")
    assert said.startswith("09501101530003 runs low at sha: 12 on hand, reorder point 20.")
    assert told in said


@pytest.mark.parametrize(
    ("count", "more", "told_en", "told_zh"),
    [
        (
            1.0,
            None,
            "1 message or reading from sha/gw-1 could",
            "有 1 条消息或读数未能入库，等待处理，来自",
        ),
        (3.0, None, "3 messages or readings could", "最新一条来自 sha/gw-1（bad zip）。"),
        (10_000.0, 1.0, "10,000 messages or readings or more could", "有至少 10,000 条"),
    ],
)
def test_waiting_dead_letters_are_told_with_the_command_that_deals_with_them(
    count: float, more: float | None, told_en: str, told_zh: str
) -> None:
    figures: dict[str, float | str] = {"count": count, "gateway": "sha/gw-1", "reason": "bad zip"}
    if more is not None:
        figures["more"] = more
    said = sentences("system.dead_letters", "dead-letters", figures, [])
    assert said["en"].startswith(told_en)
    assert told_zh in said["zh"]
    for text in said.values():
        assert "bad zip" in text
        assert "waystock dead-letter retry --all" in text


def test_a_long_list_of_orders_is_counted_not_read_out() -> None:
    orders = [f"SO-{i}" for i in range(9)]
    said = sentences("vehicle.off_route", "truck-07", {}, orders)
    assert "9 orders are hit: SO-0, SO-1, SO-2, SO-3, SO-4 and 4 more." in said["en"]
    assert "影响 9 个订单" in said["zh"]
    assert "SO-5" not in said["zh"]


def test_a_type_of_a_newer_version_is_still_readable() -> None:
    assert sentences("made.up", "x", {}, ["SO-1"]) == {
        "en": "Alert about x. 1 order is hit: SO-1.",
        "zh": "关于 x 的警报。影响 1 个订单：SO-1。",
    }


@given(
    st.sampled_from(TYPES),
    st.dictionaries(
        st.sampled_from(KEYS),
        st.one_of(
            st.floats(allow_nan=True, allow_infinity=True),
            st.sampled_from(
                ["", "x", "2026-11-23T03:42:00Z", "recovered", "arrived", "not a date"]
            ),
        ),
    ),
    st.lists(st.sampled_from(["SO-1", "SO-2"]), max_size=8),
    st.sampled_from(LANGUAGES),
)
def test_whatever_is_missing_or_odd_the_sentence_stays_readable(
    alert_type: str, figures: dict[str, float | str], orders: list[str], language: str
) -> None:
    said = sentences(alert_type, "SUBJECT", figures, orders)[language]  # pyright: ignore[reportArgumentType]
    assert said[-1] in ".。"
    assert said.endswith(".") == (language == "en")
    assert not re.search(r"  |\(\)|（）| [.,:;]|None|nan|\{|\}|。。|\.\.", said), said
