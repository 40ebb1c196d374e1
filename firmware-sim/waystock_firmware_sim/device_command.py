"""`waystock sim device KIND`: one device by itself, on a serial port, on a pseudo-terminal or at a
broker, with mishaps if they are asked for. Upstream: the command line; downstream: lone, its line
or uplink, the truth file and two lines on standard output.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from waystock.contract.broker import parse_broker_url
from waystock.contract.identifiers import check_name, iso_utc
from waystock_firmware_sim.device_rig import (
    DeviceClock,
    Rig,
    at_a_broker,
    on_a_line,
    play,
    pseudo_terminal,
    serial_port,
)
from waystock_firmware_sim.devices.line_scanner import FRAMINGS
from waystock_firmware_sim.devices.uplink import MqttUplink
from waystock_firmware_sim.kinds import BROKER_KINDS, HAS_TRUE_TIME, LINE_KINDS
from waystock_firmware_sim.lone import Assignment
from waystock_firmware_sim.mishaps import ON_A_BROKER, ON_A_LINE, parse_rates
from waystock_firmware_sim.protocol import tracker_json
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.seeds import stream
from waystock_firmware_sim.truth import Truth

DRIFT_PPM_MAX = 100.0
"""What a cheap crystal may be off."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `waystock sim device`."""
    kinds = {**LINE_KINDS, **BROKER_KINDS}
    parser.usage = (
        "waystock sim device KIND (--port PORT | --pty [LINK] | --mqtt URL)\n"
        "       [--seed N] [--rate N] [--count N] [--for S] [--mishap RATES] [--truth FILE] …"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "kinds (--port or --pty):\n"
        + "".join(f"  {name:16}{kind.says}\n" for name, kind in LINE_KINDS.items())
        + "kinds (--mqtt):\n"
        + "".join(f"  {name:16}{kind.says}\n" for name, kind in BROKER_KINDS.items())
        + f"mishaps: {', '.join(ON_A_LINE)}; at a broker: {', '.join(ON_A_BROKER)}\n"
        "Same kind, options, --seed and --start: same bytes (where the device answers a host: to "
        "the same commands at the same times)."
    )
    parser.add_argument("kind", metavar="KIND", choices=sorted(kinds), help="one of those below")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", help="a serial port that is wired to the gateway's / 串口")
    where.add_argument(
        "--pty", nargs="?", const="", metavar="LINK",
        help="a port of its own, for a gateway on this machine; its path is printed / 虚拟串口",
    )  # fmt: skip
    where.add_argument("--mqtt", metavar="URL", help="mqtt://user:password@host:port")
    parser.add_argument("--device", help="its name; default: sim-KIND")
    parser.add_argument("--topic", help="where it publishes; {device} stands for its name")
    parser.add_argument("--baud", type=int, help="rate of --port; default: the kind's own")
    parser.add_argument(
        "--framing", choices=("ssi", *FRAMINGS), default=None,
        help="of barcode: Zebra SSI with acknowledgements, or how plain codes end; default: crlf",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes; default: 1")
    parser.add_argument("--rate", type=float, default=1.0, help="readings a second; default: 1")
    parser.add_argument("--count", type=int, help="stop after so many readings, drained")
    parser.add_argument("--for", type=float, dest="seconds", help="stop after so many seconds")
    parser.add_argument("--mishap", default="", help="rates, such as corrupt=0.01,split=0.2")
    parser.add_argument("--truth", type=Path, help="file for what was truly told, JSON lines")
    parser.add_argument("--start", help="its clock at the start, ISO 8601 with zone; default: now")
    parser.add_argument("--drift-ppm", type=float, help="of its clock; default: by the seed")
    parser.set_defaults(refuse=parser.error)


def run(options: argparse.Namespace, is_asked_to_stop: Sequence[int]) -> int:
    """Exit status 0 done; OSError where port, broker's address or file can't be used."""
    _check(options)
    with ExitStack() as stack:
        record = _Record(options, stack)
        clock = DeviceClock()
        scheduler = Scheduler(lambda: clock.now_s)
        start = _start(options.start) if options.start else datetime.now(UTC)
        drift_ppm = _drift_ppm(options)
        assignment = Assignment(
            device=options.device,
            seed=options.seed,
            rate=options.rate,
            count=options.count,
            framing=options.framing,
            start=start,
            scheduler=scheduler,
            utc=lambda: start + timedelta(seconds=clock.now_s * (1 + drift_ppm / 1e6)),
            truth=Truth(record.write, tells_intent=True),
        )
        rig, place = _hang_up(assignment, options, stack, is_asked_to_stop)
        _say(
            {
                "kind": "device",
                "device": options.device,
                "decoder": options.kind,
                **place,
                "seed": options.seed,
                "start": iso_utc(start),
                "drift_ppm": round(drift_ppm, 3),
            }
        )
        rig.device.boot()
        play(rig, clock, scheduler, options.seconds, is_asked_to_stop)
        unsaid = rig.unsaid()
        _say({"kind": "result", "device": options.device, **record.counts(), "unsaid": unsaid})
    return 0


class _Record:
    """Counts what the truth says, and writes it where a file was named."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack) -> None:
        self._file = None
        if options.truth is not None:
            opened = options.truth.open("w", encoding="utf-8", buffering=1)
            self._file = stack.enter_context(opened)
        self._kinds: Counter[str] = Counter()
        self._mishaps: Counter[str] = Counter()

    def write(self, line: str) -> None:
        """One line of the truth."""
        record = msgspec.json.decode(line)
        self._kinds[record["kind"]] += 1
        if record["kind"] == "mishap":
            self._mishaps[record["mishap"]] += 1
        if self._file is not None:
            self._file.write(line)

    def counts(self) -> dict[str, Any]:
        """For the last line."""
        told = self._kinds.total() - self._kinds["intended"] - self._kinds["mishap"]
        return {"intended": self._kinds["intended"], "told": told, "mishaps": dict(self._mishaps)}


def _check(options: argparse.Namespace) -> None:
    """Unusable arguments end the program with status 2 and one sentence."""
    refuse = options.refuse
    kind = (BROKER_KINDS if options.kind in BROKER_KINDS else LINE_KINDS)[options.kind]
    if bool(options.mqtt) != (options.kind in BROKER_KINDS):
        wants = "--port PATH or --pty" if options.mqtt else "--mqtt URL"
        refuse(f"{options.kind} needs {wants}")
    if options.framing and options.kind != "barcode":
        refuse("--framing goes with barcode only")
    if options.topic and not options.mqtt:
        refuse("--topic goes with --mqtt only")
    if not 0 < options.rate <= kind.rate_max:
        refuse(f"--rate of {options.kind} is more than 0 and at most {kind.rate_max:g} a second")
    if options.count is not None and options.count < 1:
        refuse("--count is 1 or more")
    options.device = options.device or f"sim-{options.kind}"
    options.framing = options.framing or "crlf"
    possible = ON_A_BROKER if options.mqtt else ON_A_LINE
    try:
        check_name(options.device, "--device")
        options.rates = parse_rates(options.mishap, possible)
        if options.start:
            _start(options.start)
        if options.mqtt:
            parse_broker_url(options.mqtt)
    except ValueError as error:
        refuse(str(error))


def _start(text: str) -> datetime:
    start = datetime.fromisoformat(text)
    if start.tzinfo is None:
        raise ValueError(f"--start {text!r} has no time zone (add Z or +08:00)")
    return start.astimezone(UTC)


def _drift_ppm(options: argparse.Namespace) -> float:
    if options.kind in HAS_TRUE_TIME:
        return 0.0
    if options.drift_ppm is not None:
        return float(options.drift_ppm)
    return stream(options.seed, "lone/crystal").uniform(-DRIFT_PPM_MAX, DRIFT_PPM_MAX)


def _hang_up(
    a: Assignment,
    options: argparse.Namespace,
    stack: ExitStack,
    is_asked_to_stop: Sequence[int],
) -> tuple[Rig, dict[str, str]]:
    """The device at its port or broker, and where that is."""
    if options.mqtt:
        kind = BROKER_KINDS[options.kind]
        topic = (options.topic or kind.topic).replace("{device}", a.device)
        will = tracker_json.owntracks_will(int(a.start.timestamp()))
        will = will if options.kind == "owntracks" else b""
        connection = MqttUplink(options.mqtt, a.device, topic, will)
        return at_a_broker(a, kind, connection, options.rates, stack), {"topic": topic}
    kind = LINE_KINDS[options.kind]
    if options.port:
        path, open_port = options.port, serial_port(options.port, options.baud or kind.baud)
    else:
        link = Path(options.pty).absolute() if options.pty else _fresh_link(options.kind, stack)
        path, open_port = str(link), pseudo_terminal(link)
    rig = on_a_line(
        a, kind, open_port, options.rates, stack, is_hurried=lambda: bool(is_asked_to_stop)
    )
    return rig, {"port": path}


def _fresh_link(kind: str, stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waystock-sim-"))) / kind


def _say(record: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
    sys.stdout.flush()
