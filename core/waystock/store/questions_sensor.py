"""What is asked of sensors: the newest value of a measure, and the spells in which it was out of
its band. Upstream: raw telemetry and the devices of the master data. Downstream: the routes of the
api.
"""

from dataclasses import dataclass
from datetime import datetime

from waystock.contract.identifiers import iso_utc
from waystock.store.questions import Question


@dataclass(frozen=True, slots=True)
class Measurement:
    """The newest value of one device, in the unit that the measure's name ends with."""

    device: str
    vehicle: str | None
    read_point: str | None
    time: datetime
    age_s: float
    value: float
    out_of_band: bool


@dataclass(frozen=True, slots=True)
class BandEpisode:
    """From the first reading outside the band to the first one inside it again."""

    device: str
    vehicle: str | None
    read_point: str | None
    started_at: datetime
    ended_at: datetime | None
    """Null: still outside at the period's end. After a silence: the last reading before it."""
    lasted_s: float
    """Until `ended_at`, or the period's end."""
    lowest: float
    highest: float
    readings: int
    """How many were outside."""


LATEST_MEASUREMENTS = Question(
    family="sensor_questions", query="latest_measurements", row=Measurement,
    must=("measure", "at", "since", "until", "out_of_band"),
    may=("low", "high", "vehicle", "site"),
    key=lambda row: (row.device,),
)  # fmt: skip
BAND_EPISODES = Question(
    family="sensor_questions", query="band_episodes", row=BandEpisode,
    must=("measure", "since", "until", "gap_s", "lasted_s_min"),
    may=("low", "high", "vehicle", "site"),
    key=lambda row: (row.device, iso_utc(row.started_at)),
)  # fmt: skip
