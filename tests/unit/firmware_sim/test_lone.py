"""Lone devices of every kind: the same seed says the same bytes, each answers as its firmware does,
and the truth is what went out undamaged. Gateway decoders and foreign parsers read what they say.
"""

import json
from collections import Counter

import fastcrc
import pynmea2
import pytest

from tests.unit.firmware_sim.lonely import Lonely, kinds_of
from waystock_firmware_sim.kinds import BROKER_KINDS, LINE_KINDS
from waystock_firmware_sim.mishaps import ON_A_BROKER, ON_A_LINE
from waystock_gateway.devices.barcode import ssi as gateway_ssi
from waystock_gateway.devices.chafon.frames import ASK_READER_INFORMATION, encode_command
from waystock_gateway.devices.r200.frames import ASK_SOFTWARE_VERSION, START_INVENTORY

SSI_ACK = bytes.fromhex("04d00400ff28")
INVENTORY = bytes.fromhex("04ff011bb4")


class Host:
    """Says nothing."""

    def __call__(self, heard: bytes) -> bytes:
        return b""


class Acknowledger(Host):
    """An ACK for each stretch that holds decoded data."""

    def __call__(self, heard: bytes) -> bytes:
        return SSI_ACK if b"\xf3\x00" in heard else b""


class Poller(Host):
    """Asks for an inventory again and again."""

    def __call__(self, heard: bytes) -> bytes:
        return INVENTORY


class Starter(Host):
    """Starts the multi-poll now and then."""

    def __call__(self, heard: bytes) -> bytes:
        return b"" if heard else START_INVENTORY


def _host(kind: str, framing: str) -> Host:
    if framing == "ssi":
        return Acknowledger()
    return {"chafon": Poller, "r200": Starter}.get(kind, Host)()


def _run(kind: str, seed: int, framing: str = "crlf", seconds: float = 60) -> Lonely:
    possible = ON_A_LINE if kind in LINE_KINDS else ON_A_BROKER
    rate = 1.0 if kind == "owntracks" else 3.0
    lonely = Lonely(
        kind, seed=seed, rate=rate, framing=framing, host=_host(kind, framing),
        mishaps=dict.fromkeys(possible, 0.05),
    )  # fmt: skip
    return lonely.play(seconds)


@pytest.mark.parametrize(
    ("kind", "framing"),
    [*((kind, "crlf") for kind in (*LINE_KINDS, *BROKER_KINDS)), ("barcode", "ssi")],
)
def test_the_same_seed_says_the_same_bytes_with_all_mishaps(kind: str, framing: str) -> None:
    one, again, other = (_run(kind, seed, framing) for seed in (3, 3, 4))
    assert one.plug.wire == again.plug.wire
    assert one.broker.messages == again.broker.messages
    assert one.told == again.told
    assert (one.plug.wire, one.broker.messages) != (other.plug.wire, other.broker.messages)
    possible = ON_A_LINE if kind in LINE_KINDS else ON_A_BROKER
    struck = kinds_of(one.of("mishap"), "mishap") | kinds_of(other.of("mishap"), "mishap")
    assert len(struck) >= len(possible) - 3
    assert one.plug.pulled + one.broker.cuts + other.plug.pulled + other.broker.cuts > 0
    told = [line for line in one.told if line["kind"] not in {"intended", "mishap"}]
    assert len(told) > 3


@pytest.mark.parametrize("framing", ["cr", "lf", "tab", "etx", "stx-etx", "none"])
def test_plain_codes_are_framed_as_the_scanner_was_set_up(framing: str) -> None:
    ends = {"cr": b"\r", "lf": b"\n", "tab": b"\t", "etx": b"\x03", "stx-etx": b"\x03", "none": b""}
    lonely = Lonely("barcode", framing=framing, count=20, rate=10).play(5)
    assert lonely.device.is_spent()
    codes = [line["data"].encode() for line in lonely.of("barcode")]
    assert len(set(codes)) == 20
    for frame, code in zip(lonely.plug.wire, codes, strict=True):
        assert frame.endswith(code + ends[framing])
        assert frame.startswith(b"\x02]" if framing == "stx-etx" else b"]")


def test_a_scanner_says_that_it_has_power_and_answers_commands() -> None:
    lonely = Lonely("barcode", framing="ssi", rate=0.001)
    lonely.say(gateway_ssi.ASK_REVISION)
    lonely.say(gateway_ssi.encode_packet(0xE6, b"\x01"))
    lonely.say(gateway_ssi.encode_packet(0x77))
    lonely.say(gateway_ssi.encode_packet(0xD3))
    framing = gateway_ssi.SsiFraming()
    packets = [found for frame in lonely.plug.wire for found in framing.feed(frame)]
    assert all(isinstance(packet, gateway_ssi.Packet) for packet in packets)
    opcodes = [p.opcode for p in packets if isinstance(p, gateway_ssi.Packet)]
    assert opcodes == [0xF6, gateway_ssi.REPLY_REVISION, gateway_ssi.ACK, gateway_ssi.NAK, 0xD4]


def test_a_scanner_that_the_host_switched_off_takes_no_scan() -> None:
    lonely = Lonely("barcode", framing="ssi", rate=2, host=Acknowledger())
    lonely.say(gateway_ssi.encode_packet(0xEA)).play(5)
    assert not lonely.of("intended")
    lonely.say(gateway_ssi.encode_packet(0xE9)).play(5)
    assert len(lonely.of("barcode")) > 5


def test_chafon_frames_have_the_catalogue_s_crc_and_one_inventory_runs_at_a_time() -> None:
    lonely = Lonely("chafon", rate=4, count=3).play(2)
    assert not lonely.plug.wire, "it speaks only when it is asked"
    lonely.say(INVENTORY * 3).play(0.5)
    (frame,) = lonely.plug.wire
    assert frame[0] == len(frame) - 1
    assert fastcrc.crc16.mcrf4xx(frame[:-2]).to_bytes(2, "little") == frame[-2:]
    assert frame[1:4] == bytes((0x00, 0x01, 0x01))


def test_chafon_tells_its_version_and_refuses_what_it_does_not_know() -> None:
    lonely = Lonely("chafon")
    lonely.say(ASK_READER_INFORMATION).say(encode_command(0x7E))
    information, refusal = lonely.plug.wire
    assert information[2:4] == bytes((0x21, 0x00))
    assert len(information) == 14
    assert refusal[2:4] == bytes((0x00, 0xFE))


def test_r200_tells_its_versions_by_number() -> None:
    lonely = Lonely("r200").say(ASK_SOFTWARE_VERSION)
    assert lonely.plug.wire == [bytes.fromhex("bb0103000701") + b"V2.3.5\x58\x7e"]


def test_a_receiver_boots_is_blind_for_a_while_and_then_sees() -> None:
    lonely = Lonely("nmea").play(8)
    lines = [frame.decode().strip() for frame in lonely.plug.wire]
    assert "TXT" in lines[0]
    verdicts = [str(pynmea2.parse(line, check=True).status) for line in lines if "RMC" in line]
    assert "".join(verdicts).lstrip("V").strip("A") == ""
    assert verdicts[0] == "V"
    assert verdicts[-1] == "A"
    assert len(lonely.of("position")) == verdicts.count("A")


def test_a_receiver_answers_as_mediatek_s_do_and_starts_cold_when_told() -> None:
    lonely = Lonely("nmea").play(5)
    lonely.plug.wire.clear()
    lonely.say(b"$PMTK605*31\r\n$PMTK605*32\r\nnoise$PMTK104*37\r\n$PMTK000*32\r\n$PMTK999*3B\r\n")
    said = [frame.decode().strip() for frame in lonely.plug.wire]
    assert [line[1:6] for line in said[:1]] == ["PMTK7"]
    assert "TXT" in said[1]
    assert [line[1:-3] for line in said[2:]] == ["PMTK001,0,3", "PMTK001,999,1"]
    lonely.play(1.5)
    assert any(b",V," in frame for frame in lonely.plug.wire)


def test_ten_fixes_a_second_have_ten_different_instants() -> None:
    lonely = Lonely("nmea", rate=10, count=40).play(12)
    times = [line["time"] for line in lonely.of("position")]
    assert len(set(times)) == len(times) >= 40


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("owntracks", {"_type", "tst", "lat", "lon", "vel", "batt"}),
        ("tracker-json", {"lat", "lon", "time", "battery_ratio", "firmware"}),
        ("sensor-json", {"time", "temperature_c", "humidity_ratio", "battery_v", "firmware"}),
        ("teltonika-json", {"state"}),
        ("zebra-fx", {"type", "timestamp", "data"}),
        ("rfd40", {"type", "timestamp", "data"}),
        ("impinj", {"eventType", "timestamp"}),
    ],
)
def test_each_publisher_writes_as_its_maker_does(kind: str, fields: set[str]) -> None:
    lonely = Lonely(kind, rate=1).play(12)
    documents = [json.loads(payload) for payload in lonely.broker.payloads]
    assert len(documents) > 8
    assert all(fields <= document.keys() for document in documents)


def test_readers_say_how_they_are_and_a_sled_does_so_at_its_own_topic() -> None:
    sled = Lonely("rfd40", rate=1).play(25)
    health = [m for m in sled.broker.messages if m.topic == "sleds/lone-1/health"]
    assert len(health) == 3
    assert json.loads(health[0].payload)["data"]["batteryPercentage"] == 97
    fixed = [json.loads(payload) for payload in Lonely("zebra-fx", rate=1).play(25).broker.payloads]
    assert Counter(document["type"] for document in fixed)["heartbeat"] == 3


def test_every_tag_that_passes_is_told_once_coming_and_once_going() -> None:
    lonely = Lonely("chafon", rate=2, count=6, host=Poller()).play(30)
    assert lonely.device.is_spent()
    assert lonely.device.is_at_rest()
    presences = Counter((line["epc"], line["presence"]) for line in lonely.of("rfid"))
    assert set(presences.values()) == {1}
    assert len(presences) == 12
    assert {line["epc"] for line in lonely.of("intended")} == {epc for epc, _ in presences}


def test_what_was_begun_ends_and_nothing_new_begins_when_a_device_is_told_to_finish() -> None:
    lonely = Lonely("r200", rate=5, host=Starter()).play(5)
    lonely.device.finish()
    begun = len(lonely.of("intended"))
    lonely.play(10)
    assert lonely.device.is_at_rest()
    assert len(lonely.of("intended")) == begun > 5
