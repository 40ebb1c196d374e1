"""What a decoder makes of bytes: readings without device name or clock, before they become events
of the wire contract. Upstream: the decoders in `devices/`. Downstream: `sessions/`, which add
device, time and memory, and the `decode` command, which prints them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from waystock.contract.events import Elements, Quality

BarcodeFormat = Literal["gs1", "digital_link", "gtin", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One decoded barcode. `answer` is sent to the scanner once the reading is safely kept."""

    aim: str
    format: BarcodeFormat
    data: str
    elements: Elements = ()
    quality: tuple[Quality, ...] = ()
    raw: bytes = b""
    answer: bytes = b""
    retransmitted: bool = False
    """The scanner says it sent this frame before."""
    peer: str = ""
    """The address of the one that sent it, where several scanners are one device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRead:
    """One inventory notice of an RFID reader: a tag was heard once."""

    epc: str
    """Upper-case hex of the EPC memory bank."""
    rssi_dbm: float | None = None
    antenna: int | None = None
    reader_s: float | None = None
    """Seconds on the reader's own clock, which may be wrong: good for the order of its reads, many
    of which come in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputChange:
    """An input of an RFID reader (GPI) changed: a photo-eye, a door contact."""

    pin: int
    """From 1 on, as printed on the reader."""
    is_high: bool
    reader_s: float | None = None
    """As of TagRead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One position of a GPS unit, WGS 84, UTC."""

    time: datetime | None
    """None where the receiver never said the date; `time_of_day` then holds the rest."""
    time_of_day: timedelta
    lat: float
    lon: float
    speed_mps: float | None = None
    course_deg_true: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    hdop: float | None = None
    satellites: int | None = None
    quality: tuple[Quality, ...] = ()
    clock: Literal["gps", "device"] = "gps"
    raw: str = ""
    at: int = 0
    """Byte offset of its first sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What sensors said at one instant (UTC)."""

    time: datetime | None
    """By the device's own clock; None where it has none: the moment of capture."""
    values: dict[str, float]
    """By names with their unit: `temperature_c`, `ignition` (0 or 1) …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Bytes that became no reading, and why. Counted per reason, the newest ones kept."""

    reason: str
    at: int
    """Byte offset in the stream since the decoder was made."""
    raw: bytes
    answer: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes the device is owed at once, whatever becomes of its data (a request to send again)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """The device told something that is known and is no reading (its version, its settings)."""

    what: str
    """Counted by it."""


Reading = Scan | TagRead | InputChange | Fix | Measurement | Reject
Decoded = Reading | Answer | Notice


class Decoder(Protocol):
    """Sans-I/O: bytes in, readings out, split anywhere; never raises on garbage."""

    def feed(self, data: bytes) -> list[Decoded]:
        """What became complete with `data`."""
        ...

    def idle(self) -> list[Decoded]:
        """The line has been quiet for `idle_flush_s`: what was waiting for more is complete."""
        ...

    def finish(self) -> list[Decoded]:
        """The device is gone, or the input has ended: what was waiting for more never gets it."""
        ...


@dataclass(slots=True)
class Line:
    """How to hold a conversation with one device kind."""

    decoder: Decoder
    idle_flush_s: float | None = None
    """Quiet time after which `decoder.idle()` is called; None: never."""
    on_open: bytes = b""
    """Sent when the port opens, and again when nothing came for `wake_after_s`."""
    wake_after_s: float | None = None
    hang_up_ends_frame: bool = False
    """Whether a frame is complete when the other end closes the connection in good order, as it is
    after a pause."""
