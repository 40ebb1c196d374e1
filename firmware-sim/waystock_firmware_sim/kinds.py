"""The table of device kinds that can run alone: what makes one, and where it speaks. A further kind
is a further row. Upstream: device_command; downstream: lone.
"""

from collections.abc import Callable
from typing import NamedTuple

from waystock_firmware_sim import lone
from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.devices.uplink import Uplink
from waystock_firmware_sim.lone import Assignment, LoneDevice


class OnALine(NamedTuple):
    """A kind on a serial port."""

    make: Callable[[Assignment, Line], LoneDevice]
    baud: int
    says: str
    rate_max: float = 100.0
    """Readings a second."""


class AtABroker(NamedTuple):
    """A kind that publishes."""

    make: Callable[[Assignment, Uplink], LoneDevice]
    topic: str
    says: str
    rate_max: float = 100.0


LINE_KINDS = {
    "barcode": OnALine(lone.barcode, 115_200, "scanner, plain text or Zebra SSI"),
    "chafon": OnALine(lone.chafon, 57_600, "RFID reader Chafon / UHFReader18"),
    "nmea": OnALine(lone.nmea, 9_600, "GPS receiver, NMEA 0183", 10.0),
    "r200": OnALine(lone.r200, 115_200, "RFID module R200 / YRM100 / M100"),
}
BROKER_KINDS = {
    "impinj": AtABroker(lone.impinj, "impinj/{device}/events", "RFID reader Impinj R700"),
    "owntracks": AtABroker(lone.owntracks, "owntracks/sim/{device}", "phone, OwnTracks", 1.0),
    "rfd40": AtABroker(lone.rfd40, "sleds/{device}/tags", "RFID sled Zebra RFD40 / RFD90"),
    "sensor-json": AtABroker(lone.sensor_json, "sensors/{device}/values", "sensor, plain JSON"),
    "teltonika-json": AtABroker(lone.teltonika_json, "{device}/data", "tracker, Codec JSON"),
    "tracker-json": AtABroker(lone.plain_tracker, "trackers/{device}/fix", "tracker, plain JSON"),
    "zebra-fx": AtABroker(lone.zebra_fx, "zebra/{device}/tags", "RFID reader Zebra FX"),
}
HAS_TRUE_TIME = frozenset({"nmea", "teltonika-json"})
"""Kinds whose clock is set by satellites."""
