"""What was asked for: which report, of which days by whose clock, narrowed to whom. Upstream: the
api's and the command's parameters, once they are checked; downstream: the store, every writer, and
the name of the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from waystock.reports.catalogue import Report
from waystock.reports.columns import Lang

Per = Literal["day", "week", "month"]
By = Literal["lane", "carrier", "customer", "vehicle"]
PERS: tuple[Per, ...] = get_args(Per)
BYS: tuple[By, ...] = get_args(By)
DAYS_MAX = 366
GRACE_MIN_MAX = 1440
_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One report of some days, both included; a day runs from midnight to midnight of the zone."""

    report: Report
    first_day: date
    last_day: date
    time_zone: str
    vehicle: str | None = None
    site: str | None = None
    carrier: str | None = None
    customer: str | None = None
    per: Per = "day"
    by: By = "lane"
    grace_min: float = 5.0
    lang: Lang = "en"

    @property
    def zone(self) -> ZoneInfo:
        """The zone's clock; ZoneInfoNotFoundError where this machine does not know it."""
        return ZoneInfo(self.time_zone)

    def narrowed(self) -> dict[str, str]:
        """The filters that were given."""
        given = {name: getattr(self, name) for name in self.report.filters}
        return {name: value for name, value in given.items() if value is not None}

    def choices(self) -> dict[str, str | float]:
        """The options that the report has, as they were chosen."""
        return {name: getattr(self, name) for name in self.report.options}

    def file_name(self, ending: str) -> str:
        """Such as `sha-trips-2026-11-01-to-2026-11-30.csv`: site (else `all`), report, range; what
        a file's name had better not hold is replaced.
        """
        parts = [self.site or "all", self.report.name, *self.narrowed_names()]
        if self.report.options:
            parts += [str(value) for value in self.choices().values() if isinstance(value, str)]
        days = f"{self.first_day}-to-{self.last_day}"
        name = "-".join(_UNSAFE.sub("-", part).strip("-") or "x" for part in parts)
        return f"{name[:120]}-{days}.{ending}"

    def narrowed_names(self) -> list[str]:
        """The values of the filters other than the site."""
        return [value for name, value in self.narrowed().items() if name != "site"]

    def told(self) -> list[tuple[str, str]]:
        """Heading and text of each thing that was asked, in the report's language."""
        words = _TOLD[self.lang]
        told = [
            (words["report"], self.report.title[self.lang]),
            (words["first_day"], self.first_day.isoformat()),
            (words["last_day"], self.last_day.isoformat()),
            (words["time_zone"], self.time_zone),
        ]
        told += [(words[name], value) for name, value in self.narrowed().items()]
        told += [(words[name], str(value)) for name, value in self.choices().items()]
        return [*told, (words["rule"], _RULES[self.report.name][self.lang])]


def chosen_options(report: Report, given: Mapping[str, object | None]) -> dict[str, Any]:
    """The options that were given (None: not). ValueError for one that the report has not."""
    chosen = {name: value for name, value in given.items() if value is not None}
    foreign = sorted(set(chosen) - set(report.options))
    if foreign:
        has = f", only {', '.join(report.options)}" if report.options else " at all"
        raise ValueError(f"{foreign[0]}: the report {report.name} has no such option{has}")
    return chosen


_TOLD: dict[Lang, dict[str, str]] = {
    "en": {
        "report": "Report",
        "first_day": "First day",
        "last_day": "Last day",
        "time_zone": "Time zone",
        "vehicle": "Vehicle",
        "site": "Site",
        "carrier": "Carrier",
        "customer": "Customer",
        "per": "Per",
        "by": "By",
        "grace_min": "Grace (min)",
        "rule": "What belongs to a day",
    },
    "zh": {
        "report": "报表",
        "first_day": "开始日期",
        "last_day": "结束日期",
        "time_zone": "时区",
        "vehicle": "车辆",
        "site": "仓库",
        "carrier": "承运商",
        "customer": "客户",
        "per": "周期",
        "by": "分组",
        "grace_min": "宽限（分钟）",
        "rule": "归属规则",
    },
}
_STARTS = {
    "en": "Each row whole, on the day it began.",
    "zh": "每条记录完整归入其开始的那一天。",
}
_RULES: dict[str, dict[Lang, str]] = {
    "trips": {"en": _STARTS["en"], "zh": _STARTS["zh"]},
    "stops": {"en": _STARTS["en"], "zh": _STARTS["zh"]},
    "visits": {"en": _STARTS["en"], "zh": _STARTS["zh"]},
    "detention": {"en": _STARTS["en"], "zh": _STARTS["zh"]},
    "mileage": {
        "en": "Distance is split at midnight; a trip is counted on the day it began.",
        "zh": "里程在午夜处切分；出车次数计入出发当天。",
    },
    "punctuality": {
        "en": "A stop belongs to the day its window ended. Unknown is never counted as on time.",
        "zh": "停靠点归入其时间窗结束的那一天；未知不计为准时。",
    },
}
