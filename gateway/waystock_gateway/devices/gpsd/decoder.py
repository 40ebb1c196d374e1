"""gpsd decoder: the lines that a gpsd sends to a watcher in, fixes and rejects out. gpsd reports as
its picture of an instant grows: the last report of an instant is its fix. Sans-I/O, no clock.
Upstream: the port. Downstream: the unit's session. Protocol: gpsd_json(5), tried with gpsd 3.22.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from waystock_gateway.devices.gpsd.report import (
    NO_FIX,
    NO_SKY,
    Sky,
    fix_of,
    mode_of,
    sky_of,
    time_of,
)
from waystock_gateway.devices.gpsd.settings import GpsdSettings
from waystock_gateway.devices.json_fields import (
    PAYLOAD_BYTES_MAX,
    RAW_BYTES_MAX,
    UnusableError,
    object_of,
)
from waystock_gateway.devices.line_framing import Cut, LineFraming
from waystock_gateway.readings import Decoded, Fix, Line, Notice, Reject

WATCH = b'?WATCH={"enable":true,"json":true};\n'
SKY_KEPT_FIXES = 10
"""So many fixes are told the figures of a SKY report: receivers send it more seldom than fixes."""
_KNOWN = frozenset(
    {"VERSION", "DEVICES", "DEVICE", "WATCH", "POLL", "GST", "ATT", "IMU", "TOFF", "PPS", "OSC"}
    | {"AIS", "RTCM2", "RTCM3", "RAW", "SUBFRAME"}
)
"""Classes that tell nothing of where the unit is; counted."""


def make_line(settings: GpsdSettings) -> Line:
    """The conversation with a gpsd: it reports once it is asked to."""
    return Line(
        GpsdDecoder(settings),
        idle_flush_s=settings.idle_flush_s,
        on_open=WATCH,
        wake_after_s=settings.wake_after_s,
    )


class GpsdDecoder:
    """One connection's stream. `feed` may split it anywhere and gives the same fixes."""

    def __init__(self, settings: GpsdSettings) -> None:
        self._receiver = settings.receiver
        self._framing = LineFraming((b"\r", b"\n"), PAYLOAD_BYTES_MAX)
        self._open: Fix | None = None
        """The fix of the last instant, as far as it has been reported."""
        self._sky = NO_SKY
        self._sky_fixes = 0

    def feed(self, data: bytes) -> list[Decoded]:
        decoded: list[Decoded] = []
        for cut in self._framing.feed(data):
            self._take(cut, decoded)
        return decoded

    def idle(self) -> list[Decoded]:
        """The reports of this instant are over. Half a line waits on."""
        decoded: list[Decoded] = []
        self._close(decoded)
        return decoded

    def finish(self) -> list[Decoded]:
        decoded = self.idle()
        decoded += [_reject("unterminated", cut) for cut in self._framing.flush()]
        return decoded

    def _take(self, cut: Cut, decoded: list[Decoded]) -> None:
        if cut.too_long:
            decoded.append(_reject("too_long", cut))
            return
        try:
            self._read(object_of(cut.frame), cut, decoded)
        except UnusableError as error:
            decoded.append(_reject(str(error), cut))

    def _read(self, report: dict[str, Any], cut: Cut, decoded: list[Decoded]) -> None:
        kind = report.get("class")
        if kind == "TPV":
            self._take_position(report, cut, decoded)
        elif kind == "SKY":
            self._take_sky(report, decoded)
        elif kind == "ERROR":
            decoded.append(_reject("gpsd_error", cut))
        elif isinstance(kind, str) and kind in _KNOWN:
            decoded.append(Notice(kind.lower()))
        else:
            raise UnusableError("no_class" if kind is None else "unknown_class")

    def _take_position(self, report: dict[str, Any], cut: Cut, decoded: list[Decoded]) -> None:
        """A report without a fix is the last word on its instant as much as one with a fix."""
        mode = mode_of(report)
        if self._is_foreign(report):
            decoded.append(Notice("other_receiver"))
            return
        if mode <= NO_FIX:
            self._make_way(time_of(report), decoded)
            raise UnusableError("no_fix")
        fix = fix_of(report, cut.frame, cut.at)
        self._make_way(fix.time, decoded)
        self._open = fix

    def _make_way(self, time: datetime | None, decoded: list[Decoded]) -> None:
        """For what is told of `time` next."""
        if self._open is not None and self._open.time == time:
            self._open = None
            decoded.append(Notice("earlier_report"))
        else:
            self._close(decoded)

    def _take_sky(self, report: dict[str, Any], decoded: list[Decoded]) -> None:
        if self._is_foreign(report):
            decoded.append(Notice("other_receiver"))
            return
        self._sky = (self._sky if self._sky_fixes else NO_SKY).updated(sky_of(report))
        self._sky_fixes = SKY_KEPT_FIXES
        decoded.append(Notice("sky"))

    def _is_foreign(self, report: dict[str, Any]) -> bool:
        return bool(self._receiver) and report.get("device") != self._receiver

    def _close(self, decoded: list[Decoded]) -> None:
        fix, self._open = self._open, None
        if fix is None:
            return
        sky: Sky = self._sky if self._sky_fixes else NO_SKY
        self._sky_fixes = max(0, self._sky_fixes - 1)
        decoded.append(replace(fix, hdop=sky.hdop, satellites=sky.satellites))


def _reject(reason: str, cut: Cut) -> Reject:
    return Reject(reason=reason, at=cut.at, raw=cut.frame[:RAW_BYTES_MAX])
