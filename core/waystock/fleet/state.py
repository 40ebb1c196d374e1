"""The state of the fold over one vehicle's fixes: all that is needed to go on with the next fix, of
bounded size, written to the store as JSON. Upstream and downstream: `waystock.fleet.fold`. The
inner records are JSON arrays, to keep the stored form small; `v` names the form.
"""

from datetime import datetime
from typing import Literal

import msgspec

from waystock.fleet.rows import Fix, instant_from_us


class Spot(msgspec.Struct, frozen=True, array_like=True):
    """An accepted fix as the rules need it. `odometer_m` is the sum of all legs up to it."""

    time_us: int
    lat: float
    lon: float
    accuracy_m: float
    odometer_m: float


class Suspect(msgspec.Struct, frozen=True, array_like=True):
    """The last fix of a run that contradicts the accepted ones."""

    time_us: int
    lat: float
    lon: float
    fixes: int


class Rest(msgspec.Struct, frozen=True, array_like=True):
    """A time during which the vehicle stayed near `since`."""

    since: Spot
    until: Spot


class MotionState(msgspec.Struct, frozen=True):
    """`anchor` is the place that departure is measured from; `rest` always ends at the last fix."""

    phase: Literal["unknown", "stopped", "moving"]
    anchor: Spot
    rest: Rest
    rests: tuple[Rest, ...] = ()
    """Earlier rests of `still_s` or more; those of the stop window, and at least the latest."""
    away: int = 0
    left: Spot | None = None
    """Last fix before the run of `away` fixes."""
    recent: tuple[Spot, ...] = ()
    trip_start: Spot | None = None


class FenceState(msgspec.Struct, frozen=True, array_like=True):
    """One fence the vehicle is entering (`confirmed` false), in, or leaving (`run` > 0)."""

    fence: str
    entered_us: int
    confirmed: bool
    run: int
    run_us: int


class Journey(msgspec.Struct, frozen=True):
    """Progress of the active shipment."""

    shipment: str
    route_m: float
    """Length of the route that `progress_m` is measured on: another length is another route."""
    last_seq: int | None = None
    """The last stop arrived at."""
    progress_m: float | None = None
    was_on_route: bool = False
    rebase: int = 0


class Pace(msgspec.Struct, frozen=True, array_like=True):
    """Way and time of late, each decaying with `pace_memory_s`; the speed of the last hop, 0 before
    the first."""

    moved_m: float = 0.0
    moved_s: float = 0.0
    hop_mps: float = 0.0


class Watch(msgspec.Struct, frozen=True):
    """Hysteresis of one alert type for one subject; open while `opened_us` is set."""

    subject: str
    shipment: str
    run: int = 0
    run_us: int = 0
    opened_us: int | None = None
    clear_run: int = 0
    clear_us: int = 0
    shown: float = 0.0
    """The leading figure as last shown."""
    captured_at: datetime | None = None
    """Capture time of the fix that led to what is shown."""
    figures: dict[str, float | str] = {}


class VehicleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """`VehicleState()` knows nothing yet."""

    v: Literal[1] = 1
    last: Fix | None = None
    suspect: Suspect | None = None
    motion: MotionState | None = None
    fences: tuple[FenceState, ...] = ()
    journey: Journey | None = None
    finished: tuple[str, ...] = ()
    pace: Pace = Pace()
    late: Watch | None = None
    off_route: Watch | None = None

    @property
    def frontier(self) -> datetime | None:
        """A fix at or before this is late: fold again from a state whose frontier is before it. It
        can be later than the last accepted fix: a doubtful one has been looked at too."""
        if self.suspect is not None:
            return instant_from_us(self.suspect.time_us)
        return self.last.time if self.last else None
