"""One device by itself, without a world around it: what it is made of, what it scans, who passes
it, where it drives. Upstream: a kind's name and a seed; downstream: a line or an uplink, and the
truth. No socket and no clock is made here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from waystock_firmware_sim.devices import line_scanner, tag_publisher, tracker
from waystock_firmware_sim.devices.chafon_reader import ChafonReader
from waystock_firmware_sim.devices.gps_unit import NmeaUnit, Receiver
from waystock_firmware_sim.devices.handheld import Handheld, Symbol
from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.devices.line_scanner import LineScanner
from waystock_firmware_sim.devices.portal import Portal
from waystock_firmware_sim.devices.sensor import Sensor
from waystock_firmware_sim.devices.tag_field import TagField, TaggedPallet
from waystock_firmware_sim.devices.tag_publisher import TagPublisher
from waystock_firmware_sim.devices.tracker import Tracker
from waystock_firmware_sim.devices.uplink import Message, Uplink
from waystock_firmware_sim.motion import Drive
from waystock_firmware_sim.protocol import epc, gs1, reader_json, tracker_json
from waystock_firmware_sim.scheduler import Scheduler, Script
from waystock_firmware_sim.seeds import stream
from waystock_firmware_sim.truth import Truth
from waystock_firmware_sim.world.catalogue import COMPANY_PREFIX, PREFIX_DIGITS
from waystock_firmware_sim.world.geography import LonLat, shifted, smooth

STAY_S = 1.0
"""How long a tag stands in the field after it was read often enough."""
FIELD_TAGS_MAX = 8
ROAD_LEGS, ROAD_LEG_M = 24, 12_000.0
ROAD_FROM: LonLat = (121.4, 31.2)
SSCC_SERIALS = 10**9


@dataclass(frozen=True)
class Assignment:
    """What one device is to do, and what it lives on."""

    device: str
    seed: int
    rate: float
    """Readings a second."""
    count: int | None
    """How many readings; None: without end."""
    framing: str
    """Of a scanner: `ssi`, or a name of line_scanner.FRAMINGS."""
    start: datetime
    scheduler: Scheduler
    utc: Callable[[], datetime]
    truth: Truth

    @property
    def period_s(self) -> float:
        """Between two readings."""
        return 1 / self.rate

    def random(self, purpose: str) -> Random:
        """The random stream of one purpose."""
        return stream(self.seed, f"lone/{purpose}")


@dataclass(frozen=True)
class LoneDevice:
    """How to drive it: `boot` at power-up, and after each loss of power."""

    boot: Callable[[], None]
    finish: Callable[[], None]
    """Begin nothing new."""
    is_spent: Callable[[], bool]
    """Whether it has had all the readings that were asked for."""
    is_at_rest: Callable[[], bool]
    """Whether, after `finish`, everything that was begun is told."""
    on_input: Callable[[bytes], None] = lambda data: None


def barcode(assignment: Assignment, line: Line) -> LoneDevice:
    """A scanner and somebody who pulls the trigger."""
    a = assignment
    if a.framing == "ssi":
        scanner = Handheld(a.device, line, a.scheduler, a.utc, a.truth)
    else:
        framing = line_scanner.FRAMINGS[a.framing]
        scanner = LineScanner(a.device, line, a.utc, a.truth, framing)
    shift = _Shift(a)
    a.scheduler.start(_scan_all(shift, scanner, _symbols(a.random("codes"))))
    return LoneDevice(
        boot=scanner.boot,
        finish=shift.end,
        is_spent=lambda: shift.is_spent and scanner.is_idle,
        is_at_rest=lambda: scanner.is_idle,
        on_input=scanner.on_input,
    )


def chafon(assignment: Assignment, line: Line) -> LoneDevice:
    """A reader in answer mode."""
    a = assignment
    reader = ChafonReader(a.device, line, a.scheduler, a.utc, a.truth, a.random("air"))
    return _with_pallets(a, reader, reader.boot, lambda: True, reader.on_input)


def r200(assignment: Assignment, line: Line) -> LoneDevice:
    """A module that polls when told to."""
    a = assignment
    reader = Portal(a.device, line, a.scheduler, a.utc, a.truth, a.random("air"))
    return _with_pallets(a, reader, reader.boot, lambda: True, reader.on_input)


def nmea(assignment: Assignment, line: Line) -> LoneDevice:
    """A receiver in a truck, from its cold start on."""
    a = assignment
    unit = NmeaUnit(
        a.device, line, a.scheduler, a.utc, a.truth, _receiver(a), a.random("unit"),
        period_s=a.period_s, is_parted=True,
    )  # fmt: skip
    return LoneDevice(
        boot=unit.boot,
        finish=unit.switch_off,
        is_spent=lambda: a.count is not None and unit.fixes >= a.count,
        is_at_rest=lambda: True,
        on_input=unit.on_input,
    )


def zebra_fx(assignment: Assignment, uplink: Uplink) -> LoneDevice:
    """A fixed reader with its heartbeat on the same topic."""

    def status(time: datetime, uptime_s: int) -> Message:
        return Message(reader_json.zebra_fx_heartbeat(time, uptime_s))

    return _publisher(assignment, uplink, tag_publisher.Dialect(reader_json.zebra_fx, status))


def rfd40(assignment: Assignment, uplink: Uplink) -> LoneDevice:
    """A sled; its heartbeat, with the battery, goes to a topic of its own."""

    def status(time: datetime, uptime_s: int) -> Message:
        heartbeat = reader_json.rfd40_heartbeat(time, uptime_s, max(5, 97 - uptime_s // 300))
        return Message(heartbeat, f"sleds/{assignment.device}/health")

    return _publisher(assignment, uplink, tag_publisher.Dialect(reader_json.rfd40, status))


def impinj(assignment: Assignment, uplink: Uplink) -> LoneDevice:
    """A fixed reader that writes EPCs in hex or in base64, as the seed has it."""
    encode = assignment.random("setup").choice((reader_json.impinj_hex, reader_json.impinj_base64))

    def status(time: datetime, uptime_s: int) -> Message:
        del uptime_s
        return Message(reader_json.impinj_status(time))

    return _publisher(assignment, uplink, tag_publisher.Dialect(encode, status))


def owntracks(assignment: Assignment, uplink: Uplink) -> LoneDevice:
    """A phone."""
    dialect = tracker.Dialect(
        tracker_json.owntracks, tracker_json.owntracks_values, step_us=1_000_000
    )
    return _tracker(assignment, uplink, dialect)


def teltonika_json(assignment: Assignment, uplink: Uplink) -> LoneDevice:
    """A unit in a truck, with its supply, its battery and the ignition."""
    dialect = tracker.Dialect(tracker_json.teltonika, tracker_json.teltonika_values)
    return _tracker(assignment, uplink, dialect)


def plain_tracker(assignment: Assignment, uplink: Uplink) -> LoneDevice:
    """A unit that speaks plain JSON, in m/s or km/h as the seed has it."""
    encode = assignment.random("setup").choice((tracker_json.plain_mps, tracker_json.plain_kmh))
    return _tracker(assignment, uplink, tracker.Dialect(encode))


def sensor_json(assignment: Assignment, uplink: Uplink) -> LoneDevice:
    """A thermometer in a cold store."""
    a = assignment
    sensor = Sensor(a.device, uplink, a.scheduler, a.utc, a.truth, a.random("air"), a.period_s)
    return LoneDevice(
        boot=lambda: None,
        finish=sensor.switch_off,
        is_spent=lambda: a.count is not None and sensor.readings >= a.count,
        is_at_rest=lambda: not uplink.waiting(),
    )


class _Shift:
    """How many readings have begun, and whether there are to be more."""

    def __init__(self, assignment: Assignment) -> None:
        self._count = assignment.count
        self.assignment = assignment
        self.begun = 0
        self.is_over = False

    @property
    def is_spent(self) -> bool:
        return self._count is not None and self.begun >= self._count

    def end(self) -> None:
        self.is_over = True


def _scan_all(shift: _Shift, scanner: Handheld | LineScanner, symbols: Iterator[Symbol]) -> Script:
    a = shift.assignment
    while not shift.is_spent:
        yield a.period_s
        yield lambda: scanner.is_ready or shift.is_over
        if shift.is_over:
            return
        symbol = next(symbols)
        a.truth.intended("barcode", a.device, data=symbol.data)
        scanner.scan(symbol)
        shift.begun += 1


def _symbols(random: Random) -> Iterator[Symbol]:
    """Labels of pallets, cases and articles, no two alike."""
    first = random.randrange(SSCC_SERIALS // 2)
    number = 0
    while True:
        number += 1
        gtin = gs1.gtin_14(COMPANY_PREFIX, number % 99_999 + 1)
        pallet = gs1.sscc(random.randrange(10), COMPANY_PREFIX, first + number)
        lot = f"L{random.randrange(10**4):04d}"
        match random.randrange(4):
            case 0:
                yield Symbol(gs1.AIM_EAN_13, gtin[1:])
            case 1:
                yield Symbol(gs1.AIM_GS1_128, gs1.logistic_label(pallet))
            case 2:
                yield Symbol(gs1.AIM_GS1_128, gs1.item_label(gtin, random.randrange(1, 99), lot))
            case _:
                label = gs1.pallet_label(pallet, gtin, random.randrange(1, 99), lot)
                yield Symbol(gs1.AIM_GS1_128, label)


def _with_pallets(
    assignment: Assignment,
    reader: TagField,
    boot: Callable[[], None],
    is_drained: Callable[[], bool],
    on_input: Callable[[bytes], None] = lambda data: None,
) -> LoneDevice:
    shift = _Shift(assignment)
    field: list[TaggedPallet] = []
    assignment.scheduler.start(_pass_all(shift, reader, field))

    def finish() -> None:
        shift.end()
        reader.clear_field()

    return LoneDevice(
        boot=boot,
        finish=finish,
        is_spent=lambda: shift.is_spent and not field,
        is_at_rest=lambda: reader.is_clear and is_drained(),
        on_input=on_input,
    )


def _pass_all(shift: _Shift, reader: TagField, field: list[TaggedPallet]) -> Script:
    """A pallet now and then; each stands until it is surely read, and a little longer."""
    a = shift.assignment
    random = a.random("pallets")
    first = random.randrange(SSCC_SERIALS // 2)
    while not shift.is_spent:
        yield a.period_s
        yield lambda: len(field) < FIELD_TAGS_MAX or shift.is_over
        if shift.is_over:
            return
        shift.begun += 1
        sscc = gs1.sscc(random.randrange(10), COMPANY_PREFIX, first + shift.begun)
        tag = reader.enter(epc.sscc_96(sscc, PREFIX_DIGITS))
        a.truth.intended("rfid", a.device, epc=tag.epc.hex().upper())
        field.append(tag)
        a.scheduler.start(_stand(tag, reader, field))


def _stand(tag: TaggedPallet, reader: TagField, field: list[TaggedPallet]) -> Script:
    yield lambda: tag.is_certain or not reader.holds(tag)
    yield STAY_S
    field.remove(tag)
    if reader.holds(tag):
        reader.leave(tag)


def _publisher(a: Assignment, uplink: Uplink, dialect: tag_publisher.Dialect) -> LoneDevice:
    reader = TagPublisher(a.device, uplink, a.scheduler, a.utc, a.truth, a.random("air"), dialect)
    return _with_pallets(a, reader, reader.boot, lambda: not uplink.waiting())


def _tracker(a: Assignment, uplink: Uplink, dialect: tracker.Dialect) -> LoneDevice:
    unit = Tracker(
        a.device, uplink, a.scheduler, a.utc, a.truth, _receiver(a), dialect,
        first_fix_s=a.period_s, period_s=a.period_s,
    )  # fmt: skip
    return LoneDevice(
        boot=lambda: None,
        finish=unit.switch_off,
        is_spent=lambda: a.count is not None and unit.fixes >= a.count,
        is_at_rest=lambda: not uplink.waiting(),
    )


def _receiver(a: Assignment) -> Receiver:
    """Of a truck on a long, winding road of the seed's own."""
    random = a.random("road")
    points = [ROAD_FROM]
    for _ in range(ROAD_LEGS):
        east_m = ROAD_LEG_M * random.uniform(0.6, 1.0)
        points.append(shifted(points[-1], -east_m, ROAD_LEG_M * random.uniform(-0.5, 0.5)))
    drive = Drive(smooth(points), 0.0, 0.0, random)
    return Receiver(drive, a.start, a.random("sky"))
