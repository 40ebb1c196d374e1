"""Who drives the twenty trucks, what some of them draw, a tracker that was moved. Upstream:
nothing, this is data; downstream: the world's master data. The instants are fixed, so that every
run says the same of them.
"""

from datetime import UTC, datetime
from typing import Literal

from waystock.contract.masterdata import Assignment, Device, Driver, Trailer
from waystock_firmware_sim.world.trucks import TRUCKS

HIRED_AT = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
MOVED_AT = datetime(2026, 1, 12, 6, 30, tzinfo=UTC)
TAKEN_OFF_AT = datetime(2026, 2, 2, 6, 0, tzinfo=UTC)
SPARE = "gps-spare-01"
"""Lent to one truck after another while their own units were away for repair."""
_NAMES = (
    "王建国", "李明", "张伟", "刘洋", "陈磊", "杨帆", "赵强", "黄海", "周杰", "吴勇",
    "徐峰", "孙涛", "马超", "朱俊", "胡斌", "郭鹏", "林峰", "何军", "高翔", "罗毅",
)  # fmt: skip
Kind = Literal["box", "curtain", "reefer"]
_TRAILERS: tuple[tuple[int, str, Kind], ...] = (
    (1, "沪A·1087挂", "curtain"), (2, "沪A·1142挂", "box"), (3, "沪A·1203挂", "box"),
    (5, "沪A·1268挂", "reefer"), (9, "沪A·1334挂", "curtain"), (14, "浙A·2051挂", "box"),
)  # fmt: skip

DRIVERS = tuple(
    Driver(driver=f"driver-{truck.number:02d}", name=name, phone=f"+86 21 5550 {truck.number:04d}")
    for truck, name in zip(TRUCKS, _NAMES, strict=True)
)
TRAILERS = tuple(
    Trailer(trailer=f"trailer-{number:02d}", plate=plate, kind=kind)
    for number, plate, kind in _TRAILERS
)
SPARE_UNIT = Device(device=SPARE, kind="gps", biz_step="tracking")
ASSIGNMENTS = (
    *(
        Assignment(driver=driver.driver, vehicle=truck.vehicle, since=HIRED_AT)
        for truck, driver in zip(TRUCKS, DRIVERS, strict=True)
    ),
    *(
        Assignment(trailer=trailer.trailer, vehicle=f"truck-{number:02d}", since=HIRED_AT)
        for trailer, (number, _, _) in zip(TRAILERS, _TRAILERS, strict=True)
    ),
    Assignment(device=SPARE, vehicle="truck-04", since=HIRED_AT, until=MOVED_AT),
    Assignment(device=SPARE, vehicle="truck-09", since=MOVED_AT, until=TAKEN_OFF_AT),
)
