"""Events and batches: what a gateway sends up. Frozen structs that refuse unknown kinds.

An event is one reading, told apart for ever by (stream, offset). Units are SI and last in the
name; positions are WGS 84 degrees; instants are UTC. A doubtful reading travels on with marks in
`quality`; it is never mended in silence.
"""

import zlib
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from waystock.contract.identifiers import Name, Utc
from waystock.contract.reading import read

CONTRACT_VERSION = 1
EVENTS_PER_BATCH_MAX = 5_000
BATCH_BYTES_MAX = 900_000
"""Below the 1 MiB that brokers take by default, topic and framing included."""
TEXT_CHARS_MAX = 8_192

Clock = Literal["gps", "ntp", "device", "unsynced"]
"""What `time` was read from: a GPS epoch, the gateway's disciplined clock, a device's own clock, or
a gateway clock that nothing has confirmed yet."""

Quality = Literal[
    "ambiguous_gs1",
    "bad_encoding",
    "check_digit",
    "clock_corrected",
    "clock_unsynced",
    "date_roll_over",
    "future_time",
    "gs1_error",
    "low_accuracy",
    "no_fix_time",
    "no_fix_date",
    "not_gs1",
    "teleport",
    "truncated",
    "unknown_aim",
]

Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
Elements = tuple[tuple[str, Text], ...]
"""GS1 element strings in the order read: (application identifier, value)."""
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1 - EVENTS_PER_BATCH_MAX)]
"""The store counts in 64 bits."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
SmallCount = Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)]


class _Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, gc=False
):
    # gc=False: nothing in an event can refer back to it, so the collector need not look at the
    # tens of thousands that ingest holds.
    device: Name
    time: Utc
    """The device's own time where it has one (GPS), else the gateway's capture time."""
    captured_at: Utc
    """When the gateway took the reading in."""
    clock: Clock = "ntp"
    quality: tuple[Quality, ...] = ()
    raw: Text | None = None
    """The frame as it came: text where it was text, else hex."""


class Barcode(_Event, frozen=True, kw_only=True, tag="barcode"):
    """One scan. `elements` is empty where `format` is text."""

    aim: str = ""
    """AIM symbology identifier, such as `]C1`; empty if the scanner sends none."""
    format: Literal["gs1", "digital_link", "gtin", "text"]
    data: Text
    elements: Elements = ()
    repeats: Count = 0
    """How many further reads of the same code fell into the device's repeat window."""


class PortalEvidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a portal's direction was told from, or why none was."""

    method: Literal["eyes", "antennas", "none"] = "none"
    """By the order of its photo-eyes, or by which side heard the tag better, first and last."""
    reason: str = ""
    """Where it is not in or out: `too_few_reads`, `unclear`, `eyes_disagree`, `eyes_saw_nothing`,
    `restarted`, `stood`; `stayed` where the tag came and went on one side."""
    duration_s: float = 0.0
    """From the first read to the last."""
    reads_inner: Count = 0
    """Reads by antennas on the warehouse's side."""
    reads_outer: Count = 0
    """Reads by antennas on the yard's side."""
    peak_inner_dbm: float | None = None
    peak_outer_dbm: float | None = None
    first_lag_s: float | None = None
    """How much later the outer side heard it first; negative: it was the first."""
    peak_lag_s: float | None = None
    """How much later the outer side heard it at its strongest."""
    lean_begin: float | None = None
    """Which side heard its first reads better: 1 is the inner alone, −1 the outer alone."""
    lean_end: float | None = None
    """The same of its last reads."""
    eyes: str = ""
    """What the photo-eyes saw meanwhile: `out`, `in`, `both`; empty: nothing went through."""


class Rfid(_Event, frozen=True, kw_only=True, tag="rfid"):
    """One tag at one reader. With `presence` arrived or departed it is smoothed over many reads.

    It counts as a scan, unless it is a departure that tells no direction, or a `sighting`.
    """

    epc: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{4}){1,31}(?!\n)$")]
    """The EPC memory bank as read, upper-case hex."""
    presence: Literal["read", "arrived", "departed"] = "read"
    scheme: str = "raw"
    """EPC scheme such as `sgtin-96`; `raw` where the tag is not GS1."""
    tag_uri: Text | None = None
    epc_uri: Text | None = None
    digital_link: Text | None = None
    elements: Elements = ()
    filter: SmallCount | None = None
    antenna: SmallCount | None = None
    rssi_dbm: float | None = None
    reads: Count = 1
    direction: Literal["in", "out", "unknown"] | None = None
    """Which way it went through a portal: in from the yard or out to it; `unknown` is for a person
    to decide. None where the reader tells no direction, and until the tag is through."""
    evidence: PortalEvidence | None = None
    """The numbers behind `direction`."""
    sighting: bool = False
    """True: it only says that the tag was heard (a single read kept on request, an arrival at a
    portal that will tell the direction later, furniture); it moves nothing."""
    stationary: bool = False
    """True: the tag has been there for so long that it counts as furniture from now on."""


class Position(_Event, frozen=True, kw_only=True, tag="position"):
    """One fix of a GPS unit. WGS 84; course from true north."""

    lat: Latitude
    lon: Longitude
    speed_mps: float | None = None
    course_deg_true: float | None = None
    altitude_m: float | None = None
    """Above mean sea level, as NMEA GGA gives it."""
    accuracy_m: float | None = None
    hdop: float | None = None
    satellites: SmallCount | None = None


class Telemetry(_Event, frozen=True, kw_only=True, tag="telemetry"):
    """Sensor values: `temperature_c`, `fuel_ratio`, `battery_v`, `door_open` (0 or 1) …"""

    values: dict[str, float]


class Health(_Event, frozen=True, kw_only=True, tag="health"):
    """What a gateway or device says of itself: counters and gauges, named with their units."""

    state: Literal["ok", "degraded", "failed"] = "ok"
    message: str = ""
    values: dict[str, float] = {}


Event = Barcode | Rfid | Position | Telemetry | Health
KINDS = ("barcode", "rfid", "position", "telemetry", "health")


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive events of one outbox: their offsets are first … first + len(events) − 1."""

    v: Literal[1] = 1
    stream: UUID
    first: Offset
    sent_at: Utc
    events: Annotated[tuple[Event, ...], msgspec.Meta(max_length=EVENTS_PER_BATCH_MAX)]


class BatchEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """A batch whose events are still raw JSON: how one spoilt event is found among good ones."""

    v: Literal[1] = 1
    stream: UUID
    first: Offset
    sent_at: Utc
    events: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=EVENTS_PER_BATCH_MAX)]


_encoder = msgspec.json.Encoder()
_batch_decoder = msgspec.json.Decoder(Batch)
_envelope_decoder = msgspec.json.Decoder(BatchEnvelope)
_event_decoder = msgspec.json.Decoder(Event)
_events_decoder = msgspec.json.Decoder(list[Event])


def encode_event(event: Event) -> bytes:
    """JSON of one event, as the outbox keeps it."""
    return _encoder.encode(event)


def decode_event(data: bytes | msgspec.Raw) -> Event:
    """One event from JSON; msgspec.ValidationError or DecodeError says what is wrong and where."""
    return read(_event_decoder, data)


def decode_events(texts: Sequence[bytes]) -> list[Event]:
    """Several events, each from a text of its own; raises as decode_event does, for whichever."""
    events = read(_events_decoder, b"[" + b",".join(texts) + b"]")
    if len(events) != len(texts):
        raise msgspec.DecodeError(f"{len(texts)} texts hold {len(events)} events")
    return events


def encode_batch_of_raw(stream: UUID, first: int, sent_at: Utc, events: list[bytes]) -> bytes:
    """A batch around events that are already encoded, as they lie in the outbox."""
    return _encoder.encode(
        BatchEnvelope(
            stream=stream,
            first=first,
            sent_at=sent_at,
            events=tuple(msgspec.Raw(event) for event in events),
        )
    )


def encode_batch(batch: Batch) -> bytes:
    """JSON of a batch."""
    return _encoder.encode(batch)


def decode_batch(payload: bytes) -> Batch:
    """A batch from JSON, deflated or not (told by the first byte).

    Raises msgspec.DecodeError (malformed) or its subclass ValidationError (well-formed, but not
    the contract); the message says where.
    """
    return read(_batch_decoder, inflate(payload))


def decode_batch_envelope(payload: bytes) -> BatchEnvelope:
    """Only the header checked; raises as decode_batch does."""
    return read(_envelope_decoder, inflate(payload))


def deflate(payload: bytes) -> bytes:
    """zlib form for metered uplinks; its first byte (0x78) tells it from JSON."""
    return zlib.compress(payload, level=6)


def inflate(payload: bytes, bytes_max: int = 16 * BATCH_BYTES_MAX) -> bytes:
    """The JSON inside; msgspec.DecodeError if the deflated form is spoilt or beyond `bytes_max`."""
    if payload[:1] != b"\x78":
        return payload
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(payload, bytes_max)
    except zlib.error as error:
        raise msgspec.DecodeError(f"deflated batch is spoilt: {error}") from error
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise msgspec.DecodeError(f"deflated batch is cut off or larger than {bytes_max} bytes")
    return plain
