"""The reports there are: of each its columns with units, what narrows it, and the formats that can
hold it. Upstream: the columns; downstream: the store reads them, api and command offer them.
"""

from dataclasses import dataclass
from typing import Literal

from waystock.reports.columns import Column, Kind, Words

Format = Literal["json", "csv", "xlsx", "gpx", "geojson"]
Filter = Literal["vehicle", "site", "carrier", "customer"]
Option = Literal["per", "by", "grace_min"]
Shape = Literal["track", "point", "place"]
"""What a row is on a map: a way, a point of its own, or the middle of its fence."""

TABLES: tuple[Format, ...] = ("json", "csv", "xlsx")
MAPS: tuple[Format, ...] = ("gpx", "geojson")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A named report of some days."""

    name: str
    title: Words
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...] = ("vehicle", "site", "carrier", "customer")
    options: tuple[Option, ...] = ()
    shape: Shape | None = None
    begins: str = "started_at"
    """The instant a row begins; with a shape alone."""
    ends: str = "ended_at"
    shows_money: bool = False

    @property
    def formats(self) -> tuple[Format, ...]:
        """What it can be had as."""
        return TABLES + MAPS if self.shape else TABLES

    def column(self, name: str) -> Column:
        """KeyError where it has none of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _column(name: str, kind: Kind, en: str, zh: str, **more: object) -> Column:
    return Column(name=name, kind=kind, heading={"en": en, "zh": zh}, **more)  # type: ignore[arg-type]


def _named(name: str, en: str, zh: str) -> tuple[Column, Column]:
    """A code, and the name that people know it by."""
    return (
        _column(name, "code", f"{en} code", f"{zh}编号", is_detail=True),
        _column(f"{name}_name", "words", en, zh, names=name),
    )


def _minutes(name: str, en: str, zh: str, *, is_summed: bool = True) -> Column:
    return _column(name, "number", en, zh, unit="min", decimals=1, is_summed=is_summed)


def _degrees(name: str, en: str, zh: str) -> Column:
    return _column(name, "number", en, zh, unit="°", decimals=6, is_detail=True)


_WHO = (
    _column("vehicle", "code", "Vehicle", "车辆"),
    _column("plate", "code", "Plate", "车牌"),
    *_named("carrier", "Carrier", "承运商"),
    _column("site", "code", "Site", "仓库"),
)
_DAY = _column("day", "date", "Day", "日期", is_detail=True)
_OPEN = _column("is_open", "flag", "Still going on", "进行中", is_detail=True)
_SHIPMENT = _column("shipment", "code", "Shipment", "运单")
_FENCE = (
    *_named("fence", "Place", "地点"),
    _column(
        "fence_kind", "choice", "Kind of place", "地点类型", is_detail=True,
        choices={
            "site": {"en": "site", "zh": "仓库"},
            "customer": {"en": "customer", "zh": "客户"},
            "zone": {"en": "zone", "zh": "区域"},
            "corridor": {"en": "corridor", "zh": "走廊"},
            "no_go": {"en": "no-go area", "zh": "禁区"},
        },
    ),
)  # fmt: skip
_CUSTOMER = _named("customer", "Customer", "客户")
_DWELL = (
    _column("entered_at", "instant", "Arrived", "到达"),
    _column("exited_at", "instant", "Left", "离开"),
    _OPEN,
    *_FENCE,
    *_CUSTOMER,
    _SHIPMENT,
    _minutes("dwell_min", "Stay", "停留"),
    _minutes("free_min", "Free time", "免费时长", is_summed=False),
)

TRIPS = Report(
    name="trips",
    title={"en": "Trips", "zh": "行程"},
    shape="track",
    columns=(
        *_WHO,
        _DAY,
        _column("started_at", "instant", "Start", "出发"),
        _column("ended_at", "instant", "End", "结束"),
        _OPEN,
        _minutes("driven_min", "Driven", "行驶时长"),
        _column("distance_km", "number", "Distance", "里程", unit="km", decimals=1, is_summed=True),
        _column("mean_speed_kmh", "number", "Mean speed", "平均速度", unit="km/h", decimals=1),
        *_named("from_fence", "From", "起点"),
        *_named("to_fence", "To", "终点"),
        _SHIPMENT,
        _degrees("start_lat", "Start latitude", "起点纬度"),
        _degrees("start_lon", "Start longitude", "起点经度"),
        _degrees("end_lat", "End latitude", "终点纬度"),
        _degrees("end_lon", "End longitude", "终点经度"),
    ),
)
STOPS = Report(
    name="stops",
    title={"en": "Stops", "zh": "停车"},
    shape="point",
    begins="arrived_at",
    ends="departed_at",
    columns=(
        *_WHO,
        _DAY,
        _column("arrived_at", "instant", "Arrived", "到达"),
        _column("departed_at", "instant", "Left", "离开"),
        _OPEN,
        _minutes("stood_min", "Stood", "停留"),
        *_FENCE,
        *_CUSTOMER,
        _SHIPMENT,
        _degrees("lat", "Latitude", "纬度"),
        _degrees("lon", "Longitude", "经度"),
    ),
)
MILEAGE = Report(
    name="mileage",
    title={"en": "Mileage", "zh": "里程"},
    filters=("vehicle", "site", "carrier"),
    options=("per",),
    columns=(
        *_WHO,
        _column("first_day", "date", "From", "开始"),
        _column("last_day", "date", "To", "结束"),
        _column("distance_km", "number", "Distance", "里程", unit="km", decimals=1, is_summed=True),
        _column("driven_h", "number", "Driven", "行驶时长", unit="h", decimals=2, is_summed=True),
        _column("trips", "number", "Trips begun", "出车次数", is_summed=True),
        _column(
            "measured_by", "choice", "Measured by", "依据",
            choices={
                "odometer": {"en": "odometer", "zh": "里程表"},
                "fixes": {"en": "positions", "zh": "定位"},
                "both": {"en": "odometer and positions", "zh": "里程表与定位"},
            },
        ),
    ),
)  # fmt: skip
VISITS = Report(
    name="visits",
    title={"en": "Visits", "zh": "到访"},
    shape="place",
    begins="entered_at",
    ends="exited_at",
    columns=(*_WHO, _DAY, *_DWELL, _minutes("detention_min", "Detention", "超时")),
)
DETENTION = Report(
    name="detention",
    title={"en": "Detention cost", "zh": "滞留费用"},
    shows_money=True,
    columns=(
        *_WHO,
        _DAY,
        *_DWELL,
        _column("detention_h", "number", "Detention", "超时", unit="h", decimals=2, is_summed=True),
        _column("rate_per_h", "number", "Rate per hour", "每小时费率", decimals=2),
        _column("cost", "money", "Cost", "费用", decimals=2, is_summed=True),
        _column("currency", "code", "Currency", "币种"),
    ),
)
PUNCTUALITY = Report(
    name="punctuality",
    title={"en": "Punctuality", "zh": "准时率"},
    options=("by", "grace_min"),
    columns=(
        *_named("code", "Group", "分组"),
        _column("planned", "number", "Stops due", "应到", is_summed=True),
        _column("on_time", "number", "On time", "准时", is_summed=True),
        _column("late", "number", "Late", "晚点", is_summed=True),
        _column("unknown", "number", "Unknown", "未知", is_summed=True),
        _column("on_time_share", "share", "On time, of those known", "已知中的准时率", decimals=1),
        _minutes("mean_late_min", "Minutes late, mean", "平均晚点", is_summed=False),
        _minutes("p90_late_min", "Minutes late, 9 of 10", "晚点九成不超过", is_summed=False),
    ),
)

REPORTS: dict[str, Report] = {
    report.name: report for report in (TRIPS, STOPS, MILEAGE, VISITS, PUNCTUALITY, DETENTION)
}
