"""What is fuzzed: every decoder that the gateway's settings can name, and the two readers that
several of them share (GS1 texts, EPC banks). A further kind joins by being named in the settings;
until it has a grammar of its own it is fed the frames of all the others. Downstream: `trial`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, get_args, get_type_hints

from tests.fuzz.grammars import FIRST_TIME, GRAMMARS, Golden, Grammar
from waystock_gateway.clock import Moment
from waystock_gateway.devices.barcode.content import read_frame, refusal
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.devices.kinds import port_config, source_config
from waystock_gateway.devices.sensor_fields import SensorFieldSettings
from waystock_gateway.devices.tracker_json.settings import TrackerJsonSettings
from waystock_gateway.readings import Decoded, Decoder, Reading, TagRead
from waystock_gateway.sessions.session import Session
from waystock_gateway.settings import MqttSourceSettings, PortSettings

DEVICE = "fuzzed"
_EPC_BYTES_MAX = 62


class HandClock:
    """Moved by hand, so that a seed says everything."""

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    def now(self) -> Moment:
        return Moment(FIRST_TIME + timedelta(seconds=self._elapsed_s), self._elapsed_s)

    def move(self, seconds: float) -> None:
        self._elapsed_s += seconds


@dataclass(frozen=True)
class Setup:
    """One way to set a decoder up. A burst of what `comes_whole` is one message or code: nothing
    parts two of them but the pause."""

    make_decoder: Callable[[], Decoder]
    make_session: Callable[[HandClock], Session]
    wrap: Callable[[bytes], bytes] = bytes
    """A golden frame as this setup expects it."""
    comes_whole: bool = False
    is_messages: bool = False
    """Offsets count from the message's beginning, not from the stream's."""
    has_pauses: bool = True


@dataclass(frozen=True)
class Subject:
    name: str
    setups: tuple[Setup, ...]
    grammar: Grammar


class Messages:
    """A decoder of whole messages as a decoder of a stream: each `feed` is a message."""

    def __init__(self, decode: Callable[[bytes], list[Reading]]) -> None:
        self._decode = decode

    def feed(self, data: bytes) -> list[Decoded]:
        return [*self._decode(data)]

    def idle(self) -> list[Decoded]:
        return []

    finish = idle


def subjects() -> dict[str, Subject]:
    """All of them by name."""
    found = [*_ports(), *_sources(), *_shared_readers()]
    return {subject.name: subject for subject in sorted(found, key=lambda one: one.name)}


def _ports() -> Iterator[Subject]:
    for name in get_args(get_type_hints(PortSettings)["decoder"]):
        if name != "barcode":
            yield Subject(name, (_port_setup(name),), _grammar(name))
    yield Subject("barcode", tuple(_barcode_setups()), GRAMMARS["barcode"])
    ssi = _port_setup("barcode", barcode=BarcodeSettings(framing="ssi"))
    yield Subject("barcode-ssi", (ssi,), GRAMMARS["barcode-ssi"])


def _barcode_setups() -> Iterator[Setup]:
    """Each with the terminator, prefix and substitute that its scanner is set to."""
    for settings in (
        BarcodeSettings(),
        BarcodeSettings(terminator="crlf", prefix="\x02", gs_substitute="~"),
        BarcodeSettings(terminator="cr", gs_kept=True, encoding="latin-1", length_max=128),
        BarcodeSettings(terminator="etx", prefix="\x02", gs_substitute="{GS}"),
        BarcodeSettings(terminator="none", encoding="gb18030", length_max=256),
        BarcodeSettings(terminator="tab", gs_substitute="|", encoding="utf-8"),
    ):
        yield _port_setup("barcode", _wrapping(settings), barcode=settings)


def _wrapping(settings: BarcodeSettings) -> Callable[[bytes], bytes]:
    end = {"crlf": b"\r\n", "cr": b"\r", "etx": b"\x03", "none": b"", "tab": b"\t"}
    terminator = end[settings.terminator] if settings.terminator else b"\r\n"
    substitute = (settings.gs_substitute or "\x1d").encode()

    def wrap(frame: bytes) -> bytes:
        code = frame.removesuffix(b"\r\n").replace(b"\x1d", substitute)
        return settings.prefix.encode() + code + terminator

    return wrap


def _port_setup(
    decoder: Any, wrap: Callable[[bytes], bytes] = bytes, **settings: BarcodeSettings
) -> Setup:
    port = PortSettings(device=DEVICE, decoder=decoder, path="/dev/null", **settings)  # pyright: ignore[reportArgumentType] - by keyword
    line = port_config(port, HandClock()).make_line()
    return Setup(
        make_decoder=lambda: port_config(port, HandClock()).make_line().decoder,
        make_session=lambda clock: port_config(port, clock).session(DEVICE, {}),
        wrap=wrap,
        comes_whole=port.decoder == "barcode" and port.barcode.terminator == "none",
        has_pauses=line.idle_flush_s is not None,
    )


def _sources() -> Iterator[Subject]:
    for name in get_args(get_type_hints(MqttSourceSettings)["decoder"]):
        setups = [_source_setup(MqttSourceSettings(topic="t/{device}", decoder=name))]
        if name == "tracker-json":
            setups.append(_source_setup(_mapped_tracker()))
        yield Subject(name, tuple(setups), _grammar(name, is_json=True))


def _mapped_tracker() -> MqttSourceSettings:
    """With sensors beside the position, and figures in other units."""
    values = (
        SensorFieldSettings(name="door_open", field="hdop"),
        SensorFieldSettings(name="temperature_c", field="altitude_m", scale=1e300, offset=-1.5),
    )
    fields = TrackerJsonSettings(speed_mps="none", speed_kmh="speed_mps", values=values)
    return MqttSourceSettings(topic="t/{device}", decoder="tracker-json", tracker_json=fields)


def _source_setup(source: MqttSourceSettings) -> Setup:
    decode = source_config(source, HandClock()).decode
    return Setup(
        make_decoder=lambda: Messages(decode),
        make_session=lambda clock: source_config(source, clock).session(DEVICE, {}),
        comes_whole=True,
        is_messages=True,
    )


def _shared_readers() -> Iterator[Subject]:
    scanner, reader = _port_setup("barcode"), _port_setup("r200")
    for name, decode, like in (("gs1", _read_gs1, scanner), ("epc", _read_epc, reader)):
        setup = Setup(
            lambda decode=decode: Messages(decode),
            like.make_session,
            comes_whole=True,
            is_messages=True,
        )
        yield Subject(name, (setup,), GRAMMARS[name])


def _read_gs1(text: bytes) -> list[Reading]:
    """With the identifier that promises element strings, the one of links, and none."""
    settings = BarcodeSettings()
    frames = [aim + text[: settings.length_max] for aim in (b"]C1", b"]Q1", b"")]
    return [read_frame(frame, settings) for frame in frames if refusal(frame, settings) is None]


def _read_epc(bank: bytes) -> list[Reading]:
    words = bank[: min(len(bank), _EPC_BYTES_MAX) // 2 * 2]
    return [TagRead(epc=words.hex().upper())] if words else []


def _grammar(name: str, *, is_json: bool = False) -> Grammar:
    return GRAMMARS.get(name) or Grammar(_any_frame, is_json=is_json)


def _any_frame(rng: Random) -> Golden:
    """For a kind without a grammar: a frame of another one, of which nothing is expected."""
    return GRAMMARS[rng.choice(sorted(GRAMMARS))].golden(rng)._replace(heard="")
