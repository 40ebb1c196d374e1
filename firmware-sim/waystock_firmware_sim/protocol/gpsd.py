"""What a gpsd says to its clients: JSON objects, one a line that ends with CR LF. Upstream: one
fix; downstream: a TCP connection. Source: gpsd_json(5), and what gpsd 3.22 answered when asked.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from waystock_firmware_sim.protocol.nmea import Fix

RELEASE = "3.22"
USER_RANGE_ERROR_M = 19.0
"""What gpsd multiplies HDOP by where the receiver states no error (h_uere without DGPS)."""
GEOID_SEPARATION_M = 9.7


def version() -> bytes:
    """The greeting."""
    return _line({"class": "VERSION", "release": RELEASE, "rev": RELEASE} | _PROTOCOL)


_PROTOCOL = {"proto_major": 3, "proto_minor": 14}


def devices(receiver: str, activated: datetime) -> bytes:
    """The receivers that it reads: one."""
    one = {
        "class": "DEVICE",
        "path": receiver,
        "driver": "u-blox",
        "activated": _time(activated),
        "flags": 1,
        "native": 1,
        "bps": 38400,
        "parity": "N",
        "stopbits": 1,
        "cycle": 1.0,
    }
    return _line({"class": "DEVICES", "devices": [one]})


def watch(is_enabled: bool) -> bytes:
    """The answer to ?WATCH."""
    return _line({"class": "WATCH", "enable": is_enabled, "json": is_enabled} | _NOT_WATCHED)


_NOT_WATCHED = {
    "nmea": False, "raw": 0, "scaled": False, "timing": False, "split24": False, "pps": False,
}  # fmt: skip


def error(request: str) -> bytes:
    """The answer to what it does not know."""
    return _line({"class": "ERROR", "message": f"Unrecognized request '{request}'"})


def no_fix(receiver: str, time: datetime) -> bytes:
    """An instant at which the receiver is blind."""
    return _line({"class": "TPV", "device": receiver, "mode": 1, "time": _time(time), "ept": 0.005})


def first_report(receiver: str, fix: Fix) -> bytes:
    """The plane position, told before the height of the same instant is known."""
    return _line(_position(receiver, fix, mode=2))


def full_report(receiver: str, fix: Fix) -> bytes:
    """The last word on an instant."""
    above_ellipsoid = round(fix.altitude_m + GEOID_SEPARATION_M, 4)
    return _line(
        _position(receiver, fix, mode=3)
        | {
            "altHAE": above_ellipsoid,
            "altMSL": round(fix.altitude_m, 4),
            "alt": round(fix.altitude_m, 4),
            "geoidSep": GEOID_SEPARATION_M,
            "eph": round(fix.hdop * USER_RANGE_ERROR_M, 3),
        }
    )


def sky(receiver: str, fix: Fix) -> bytes:
    """Dilution, and the satellites used beside one that is not."""
    satellites = [
        {"PRN": n, "el": 5.0 * n, "az": 17.0 * n, "ss": 30.0, "used": n <= fix.satellites}
        for n in range(1, fix.satellites + 2)
    ]
    counts = {"nSat": fix.satellites + 1, "uSat": fix.satellites}
    return _line(
        {"class": "SKY", "device": receiver, "hdop": fix.hdop, "satellites": satellites} | counts
    )


def _position(receiver: str, fix: Fix, mode: int) -> dict[str, object]:
    return {
        "class": "TPV",
        "device": receiver,
        "mode": mode,
        "time": _time(fix.time),
        "ept": 0.005,
        "lat": fix.lat,
        "lon": fix.lon,
        "track": round(fix.course_deg_true, 4),
        "speed": round(fix.speed_mps, 3),
    }


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def _line(report: Mapping[str, object]) -> bytes:
    return json.dumps(report, separators=(",", ":")).encode("ascii") + b"\r\n"
