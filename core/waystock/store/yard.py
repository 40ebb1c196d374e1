"""Who stands at which door or in the yard of a site, since when, and for which shipment. Upstream:
visits to the fences of sites, the plan of doors; downstream: the api.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from waystock.store.questions import Question


@dataclass(frozen=True, slots=True)
class YardStay:
    """One vehicle at a site, in the smallest of the site's fences that it is in."""

    site: str
    fence: str
    name: dict[str, str]
    kind: Literal["dock", "yard", "site"]
    door: str | None
    """The location of the door it stands at …"""
    door_by: Literal["fence", "plan"] | None
    """… as its fixes say; or as the plan says, where no fence is drawn around doors."""
    vehicle: str
    plate: str
    trailer: str | None
    driver: str | None
    motion: str
    fix_time: datetime | None
    since: datetime
    """In `fence` …"""
    on_site_since: datetime
    """… and at the site."""
    free_s: float | None
    """Free time of the fence whose time is up first; null: no limit."""
    free_left_s: float | None
    detained_s: float | None
    """How far the free time is overrun."""
    shipment: str | None
    purpose: Literal["load", "unload"] | None
    planned_door: str | None
    expected_vehicle: str | None
    """Whom the plan has at this door now."""
    expected_shipment: str | None
    is_wrong_vehicle: bool
    """It stands at a door that is another one's now."""


YARD = Question(
    family="yard", query="yard", row=YardStay,
    must=("at", "free_time_s"), may=("site", "door", "vehicle"), key=lambda row: (row.vehicle,),
)  # fmt: skip
