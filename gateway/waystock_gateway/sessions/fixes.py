"""A GPS unit's session, and that of the sensors beside it: drops what was delivered twice, dates
what the receiver left undated, and marks what can't be right (teleports, week roll-over, a time
ahead of ours). Marks, never mends.
"""

import math
from datetime import datetime, timedelta

import msgspec

from waystock.contract.events import Clock, Position, Quality, Telemetry
from waystock.contract.identifiers import Utc, iso_utc
from waystock_gateway.clock import Moment
from waystock_gateway.devices.nmea.epoch import nearest_day
from waystock_gateway.readings import Fix, Measurement, Reading, Reject
from waystock_gateway.sessions.session import Outcome, gateway_clock

_LAST = "last_fix"
_TIME = "time:"
_SENSED = "sensed:"
REDELIVERIES_MAX = 1_024
"""How many of a tracker's newest fixes a broker may deliver again without being believed: as many
as it leaves unacknowledged at most (NATS: `max_ack_pending`; others far fewer)."""
STRAGGLERS_MAX = 8
"""Of how many of a cable's newest instants a sentence may still come: where a receiver's sentences
of two instants overlap, an instant that was complete begins anew."""
EARTH_RADIUS_M = 6_371_008.8
GPS_ROLL_OVER = timedelta(weeks=1024)
_ROLL_OVER_SLACK = timedelta(days=2)
_FUTURE_SLACK = timedelta(minutes=5)
_NEAR_M = 200.0
"""Within this distance no jump is a teleport, whatever the time between: positions wander."""


class Place(msgspec.Struct, frozen=True):
    """Where the unit was, and when."""

    time: Utc
    lat: float
    lon: float


class Track(msgspec.Struct, frozen=True):
    """The last place that was believed, and the last one that was not."""

    believed: Place
    doubted: Place | None = None


class FixSession:
    """State kept: the last places, to know teleports; the last instants, to know duplicates."""

    def __init__(
        self, device: str, state: dict[str, bytes], *, speed_mps_max: float, times_max: int
    ) -> None:
        self._device = device
        self._speed_mps_max = speed_mps_max
        kept = state.get(_LAST)
        self._track = msgspec.json.decode(kept, type=Track) if kept else None
        self._fixed = _Instants(_TIME, state, times_max)
        self._sensed = _Instants(_SENSED, state, times_max)

    def take(self, reading: Reading, moment: Moment, outcome: Outcome) -> None:
        if isinstance(reading, Measurement):
            self._take_measurement(reading, moment, outcome)
        elif isinstance(reading, Fix):
            self._take_fix(reading, moment, outcome)

    def _take_measurement(self, reading: Measurement, moment: Moment, outcome: Outcome) -> None:
        if reading.time is None:
            clock, quality = gateway_clock(moment)
        elif not self._sensed.is_new(reading.time, outcome, ",".join(sorted(reading.values))):
            outcome.drops["duplicate"] += 1
            return
        else:
            clock = "device"
            quality = _time_marks(reading.time, moment.at) if moment.is_plausible else ()
        outcome.events.append(
            Telemetry(
                device=self._device,
                time=reading.time or moment.at,
                captured_at=moment.at,
                clock=clock,
                quality=quality,
                values=reading.values,
            )
        )

    def _take_fix(self, reading: Fix, moment: Moment, outcome: Outcome) -> None:
        time, marks = _dated(reading, moment)
        if time is None:
            raw = reading.raw.encode()[:512]
            outcome.rejects.append(Reject(reason="no_date", at=reading.at, raw=raw))
            return
        place = Place(time, reading.lat, reading.lon)
        if not self._fixed.is_new(place.time, outcome):
            outcome.drops["duplicate"] += 1
            return
        self._track, is_teleport = follow(self._track, place, self._speed_mps_max)
        outcome.remember(_LAST, msgspec.json.encode(self._track))
        teleport: tuple[Quality, ...] = ("teleport",) if is_teleport else ()
        outcome.events.append(
            self._event(reading, place, moment, (*reading.quality, *marks, *teleport))
        )

    def due_mono_s(self) -> float | None:
        return None

    def tick(self, moment: Moment, outcome: Outcome) -> None:
        """Fixes don't age."""

    def _event(
        self, fix: Fix, place: Place, moment: Moment, quality: tuple[Quality, ...]
    ) -> Position:
        clock: Clock = "ntp" if fix.time is None else fix.clock
        return Position(
            device=self._device,
            time=place.time,
            captured_at=moment.at,
            clock=clock,
            quality=quality,
            raw=fix.raw or None if quality else None,
            lat=fix.lat,
            lon=fix.lon,
            speed_mps=fix.speed_mps,
            course_deg_true=fix.course_deg_true,
            altitude_m=fix.altitude_m,
            accuracy_m=fix.accuracy_m,
            hdop=fix.hdop,
            satellites=fix.satellites,
        )


class _Instants:
    """The newest instants of which there was a reading, kept in the device's state."""

    def __init__(self, prefix: str, state: dict[str, bytes], times_max: int) -> None:
        self._prefix = prefix
        self._times_max = times_max
        self._times = {key: None for key in sorted(state) if key.startswith(prefix)}

    def is_new(self, time: datetime, outcome: Outcome, what: str = "") -> bool:
        """One unit has one fix per instant, and one value of `what` it measures; brokers deliver
        again what was not acknowledged."""
        key = self._prefix + iso_utc(time) + what
        if key in self._times:
            return False
        self._times[key] = None
        outcome.remember(key, b"")
        while len(self._times) > self._times_max:
            oldest = next(iter(self._times))
            del self._times[oldest]
            outcome.forget(oldest)
        return True


def follow(track: Track | None, place: Place, speed_mps_max: float) -> tuple[Track, bool]:
    """The track after `place`, and whether `place` is a teleport.

    A single jump is doubted; a second place that agrees with the doubted one shows that the unit
    really moved there (it was switched off on a ferry), and is believed.
    """
    if track is None or _is_reachable(track.believed, place, speed_mps_max):
        return Track(place), False
    if track.doubted is not None and _is_reachable(track.doubted, place, speed_mps_max):
        return Track(place), False
    return Track(track.believed, place), True


def distance_m(a: Place, b: Place) -> float:
    """Great-circle distance (haversine), WGS 84 mean radius."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lon = math.sin(math.radians(b.lon - a.lon) / 2)
    chord = half_lat**2 + math.cos(lat_a) * math.cos(lat_b) * half_lon**2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def _is_reachable(start: Place, end: Place, speed_mps_max: float) -> bool:
    elapsed_s = abs((end.time - start.time).total_seconds())
    return distance_m(start, end) <= max(_NEAR_M, elapsed_s * speed_mps_max)


def _dated(fix: Fix, moment: Moment) -> tuple[datetime | None, tuple[Quality, ...]]:
    """The fix's instant in UTC and what is doubtful about it."""
    if fix.time is None:
        if not moment.is_plausible:
            return None, ()
        return nearest_day(fix.time_of_day, moment.at), ("no_fix_date",)
    if not moment.is_plausible:
        return fix.time, ()
    return fix.time, _time_marks(fix.time, moment.at)


def _time_marks(time: datetime, now: datetime) -> tuple[Quality, ...]:
    for weeks in (1, 2):
        if abs(abs(now - time) - weeks * GPS_ROLL_OVER) <= _ROLL_OVER_SLACK:
            return ("date_roll_over",)
    return ("future_time",) if time - now > _FUTURE_SLACK else ()
