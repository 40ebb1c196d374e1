"""What trackers publish over MQTT: a plain JSON object in m/s or km/h, OwnTracks, Teltonika Codec
JSON. Upstream: one fix and the battery's charge; downstream: an uplink. Sources: the OwnTracks
booklet, chapter JSON; Teltonika's wiki, pages Codec JSON and AVL ID (units of the IO elements).
"""

import msgspec

from waystock.contract.identifiers import iso_utc
from waystock_firmware_sim.protocol.nmea import Fix

FIRMWARE = "1.4.2"
EXTERNAL_MV, BATTERY_MV_EMPTY, BATTERY_MV_SPAN = 12_600, 3_400, 800
ACCURACY_M_PER_HDOP = 5.0


def plain_mps(fix: Fix, battery_ratio: float) -> bytes:
    """Speed in metres per second."""
    return _plain(fix, battery_ratio, {"speed_mps": round(fix.speed_mps, 3)})


def plain_kmh(fix: Fix, battery_ratio: float) -> bytes:
    """Speed in kilometres per hour."""
    return _plain(fix, battery_ratio, {"speed_kmh": round(fix.speed_mps * 3.6, 2)})


def _plain(fix: Fix, battery_ratio: float, speed: dict[str, float]) -> bytes:
    return msgspec.json.encode(
        {
            "lat": fix.lat,
            "lon": fix.lon,
            "time": iso_utc(fix.time),
            **speed,
            "course_deg_true": round(fix.course_deg_true, 1),
            "altitude_m": round(fix.altitude_m, 1),
            "hdop": fix.hdop,
            "satellites": fix.satellites,
            "battery_ratio": battery_ratio,
            "firmware": FIRMWARE,
        }
    )


def owntracks(fix: Fix, battery_ratio: float) -> bytes:
    """A location: whole seconds, whole km/h, per cent."""
    return msgspec.json.encode(
        {
            "_type": "location",
            "tid": "ws",
            "tst": int(fix.time.timestamp()),
            "lat": fix.lat,
            "lon": fix.lon,
            "vel": round(fix.speed_mps * 3.6),
            "cog": round(fix.course_deg_true) % 360,
            "alt": round(fix.altitude_m),
            "acc": round(fix.hdop * ACCURACY_M_PER_HDOP),
            "batt": round(battery_ratio * 100),
            "conn": "m",
            "t": "p",
        }
    )


def owntracks_will(tst: int) -> bytes:
    """What the broker says for a phone that is gone without a goodbye."""
    return msgspec.json.encode({"_type": "lwt", "tst": tst})


def owntracks_values(fix: Fix, battery_ratio: float) -> dict[str, float]:
    """What a location tells beside the place."""
    del fix
    return {"battery_ratio": round(battery_ratio * 100) / 100}


def teltonika(fix: Fix, battery_ratio: float) -> bytes:
    """One record: milliseconds, km/h, and IO elements 239, 66, 67 and 113."""
    battery_mv = BATTERY_MV_EMPTY + round(BATTERY_MV_SPAN * battery_ratio)
    record = {
        "ts": round(fix.time.timestamp() * 1000),
        "pr": 0,
        "latlng": f"{fix.lat:.7f},{fix.lon:.7f}",
        "alt": round(fix.altitude_m),
        "ang": round(fix.course_deg_true) % 360,
        "sat": fix.satellites,
        "sp": round(fix.speed_mps * 3.6),
        "evt": 0,
        "239": 1,
        "66": EXTERNAL_MV,
        "67": battery_mv,
        "113": round(battery_ratio * 100),
    }
    return msgspec.json.encode({"state": {"reported": record}})


def teltonika_values(fix: Fix, battery_ratio: float) -> dict[str, float]:
    """The IO elements in Waystock's names and units."""
    del fix
    return {
        "ignition": 1.0,
        "external_v": EXTERNAL_MV / 1000,
        "battery_v": (BATTERY_MV_EMPTY + round(BATTERY_MV_SPAN * battery_ratio)) / 1000,
        "battery_ratio": round(battery_ratio * 100) / 100,
    }
