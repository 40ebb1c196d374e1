"""Hours of a week as the api takes and tells them: the form of `waystock.contract.limits`, for the
published schema. Upstream: requests; downstream: routes of fences, limits and quiet hours.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Hours(BaseModel):
    """From `start` to `end` (`08:00`, `24:00`) on each of `days`; where `end` is not later, to that
    time of the day after."""

    model_config = ConfigDict(extra="forbid")

    days: list[Weekday]
    start: str
    end: str
