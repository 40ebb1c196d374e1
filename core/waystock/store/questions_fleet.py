"""What a fleet is asked: where each vehicle was last, who stood, who drove too long, what each did
by hour and by day. Upstream: the fleet fold's trips and stands, raw fixes where those don't say.
Downstream: the routes of the api.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from waystock.contract.identifiers import iso_utc
from waystock.store.questions import Question


@dataclass(frozen=True, slots=True)
class LastFix:
    """Null fields: nothing was ever heard of the vehicle. WGS 84."""

    vehicle: str
    plate: str
    fix_time: datetime | None
    age_s: float | None
    lat: float | None
    lon: float | None
    speed_mps: float | None
    course_deg_true: float | None
    motion: Literal["moving", "stopped", "unknown"]
    at_fence: str | None
    shipment: str | None


@dataclass(frozen=True, slots=True)
class Stationary:
    """How long a vehicle stood within the period, and where longest."""

    vehicle: str
    plate: str
    stood_s: float
    stands: int
    longest_s: float | None
    longest_from: datetime | None
    longest_until: datetime | None
    lat: float | None
    lon: float | None
    fence: str | None
    """The fence it was in during the longest stand."""
    mean_speed_mps: float | None
    """Mean of the speeds its units reported; null where it wasn't asked for."""


@dataclass(frozen=True, slots=True)
class DrivingSession:
    """Trips with no rest between them that was long enough."""

    vehicle: str
    plate: str
    started_at: datetime
    ended_at: datetime
    driven_s: float
    paused_s: float
    """Stands within it, each too short to count as a rest."""
    trips: int
    is_over: bool
    """A rest has followed; false: the driver may still be in it."""


@dataclass(frozen=True, slots=True)
class DrivingHours:
    """The window in which a vehicle was driven most."""

    vehicle: str
    plate: str
    window_start: datetime
    window_end: datetime
    driven_s: float


@dataclass(frozen=True, slots=True)
class Activity:
    """One hour or day of one vehicle, cut off at the period's ends."""

    vehicle: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    moved_s: float
    stood_s: float
    """What is missing from moved_s + stood_s is time that nothing is known of."""
    moved_share: float


@dataclass(frozen=True, slots=True)
class DayDistance:
    """What one vehicle drove on one day of `time_zone`, midnight to midnight."""

    vehicle: str
    time_zone: str
    day: date
    distance_m: float
    measured_by: Literal["odometer", "fixes"]
    driven_s: float
    trips: int
    """Trips that touch the day: one over midnight counts on both."""
    trips_started: int
    """Trips that began on the day."""
    plate: str
    carrier: str | None
    site: str | None
    """Where its last shipment by then left from."""


DAY_M_MAX = 250 / 3.6 * 25 * 3600
"""As fast as a fix may be, for the longest day: an odometer that says more was changed."""

LAST_FIXES = Question(
    family="fleet_questions", query="last_fixes", row=LastFix,
    must=("at",), may=("vehicle", "site", "silent_s_min"),
    key=lambda row: (row.vehicle,),
)  # fmt: skip
STATIONARY = Question(
    family="fleet_questions", query="stationary", row=Stationary,
    must=("since", "until", "stood_s_min"), may=("vehicle", "speed_mps_below"),
    key=lambda row: (row.vehicle,),
)  # fmt: skip
LONG_DRIVING = Question(
    family="fleet_questions", query="long_driving", row=DrivingSession,
    must=("since", "until", "looked_back_to", "driven_s_min", "rest_s"), may=("vehicle",),
    key=lambda row: (row.vehicle, iso_utc(row.started_at)),
)  # fmt: skip
DRIVING_HOURS = Question(
    family="fleet_questions", query="driving_hours", row=DrivingHours,
    must=("since", "until", "looked_back_to", "driven_s_min", "window_s"), may=("vehicle",),
    key=lambda row: (row.vehicle,),
)  # fmt: skip
ACTIVITY = Question(
    family="day_questions", query="activity", row=Activity,
    must=("since", "until", "bucket"), may=("vehicle", "time_zone"),
    key=lambda row: (row.vehicle, iso_utc(row.starts_at)),
)  # fmt: skip
DISTANCES = Question(
    family="day_questions", query="distances", row=DayDistance,
    must=("first_day", "last_day", "until", "looked_back_to", "looked_on_to", "day_m_max"),
    may=("vehicle", "site", "carrier", "time_zone"),
    key=lambda row: (row.vehicle, row.day.isoformat()),
)  # fmt: skip
