"""Every kind of device, simulated and misbehaving, at the real gateway: what went out undamaged
arrives once, and nothing arrives that no device ever meant to say.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.integration.gateway.rig import GatewayRig, fake_ingest
from tests.integration.gateway.simulated import Simulated, Story, play
from tests.support.brokers import nats

NOISE = "drop=0.04,double=0.04,reorder=0.06,corrupt=0.05,split=0.2"
ON_A_LINE = f"{NOISE},freeze=0.005,reboot=0.01,unplug=0.015"
MORE_NOISE = "drop=0.05,double=0.05,reorder=0.15,corrupt=0.05,split=0.2"
A_GPS_LINE = f"{MORE_NOISE},freeze=0.002,reboot=0.004,unplug=0.007"
"""Three sentences a fix, and each halt costs two seconds of them or more."""
WITHOUT_NOISE = ON_A_LINE.replace("corrupt=0.05", "corrupt=0")
AT_A_BROKER = "drop=0.05,double=0.05,reorder=0.05,corrupt=0.08,freeze=0.01,reboot=0.02"
LONG_PRESENCE = "absence_s = 3600\nwake_after_s = 0.5"
SOURCE_PRESENCE = "[mqtt_sources.presence]\nabsence_s = 3600"
SCANS = ("--count", "28", "--rate", "6", "--seed", "4")
TAGS = ("--count", "8", "--rate", "4", "--seed", "10")

DEVICES = {
    "scan-ssi": Simulated(
        "barcode", ("--framing", "ssi", *SCANS, "--mishap", ON_A_LINE), 'framing = "ssi"'
    ),
    "scan-lines": Simulated("barcode", (*SCANS, "--mishap", WITHOUT_NOISE), 'terminator = "crlf"'),
    "scan-noise": Simulated(
        "barcode", ("--framing", "stx-etx", *SCANS, "--mishap", "corrupt=0.3,split=0.2"),
        'terminator = "etx"\nprefix = "\\u0002"',
    ),
    "rfid-chafon": Simulated("chafon", (*TAGS, "--mishap", ON_A_LINE), LONG_PRESENCE),
    "rfid-r200": Simulated("r200", (*TAGS, "--mishap", ON_A_LINE), LONG_PRESENCE),
    "gps-nmea": Simulated(
        "nmea", ("--count", "80", "--rate", "10", "--seed", "17", "--mishap", A_GPS_LINE), ""
    ),
    "rfid-fx": Simulated(
        "zebra-fx", (*TAGS, "--mishap", AT_A_BROKER), SOURCE_PRESENCE, "zebra/{device}/tags"
    ),
    "rfid-sled": Simulated(
        "rfd40", (*TAGS, "--mishap", AT_A_BROKER), SOURCE_PRESENCE, "sleds/{device}/tags"
    ),
    "rfid-r700": Simulated(
        "impinj", (*TAGS, "--mishap", AT_A_BROKER), SOURCE_PRESENCE, "impinj/{device}/events"
    ),
    "phone-1": Simulated(
        "owntracks", ("--count", "9", "--seed", "3", "--mishap", AT_A_BROKER), "",
        "owntracks/sim/{device}",
    ),
    "truck-1": Simulated(
        "teltonika-json", ("--count", "60", "--rate", "8", "--mishap", AT_A_BROKER), "",
        "{device}/data",
    ),
    "truck-2": Simulated(
        "tracker-json", ("--count", "60", "--rate", "8", "--mishap", AT_A_BROKER), "",
        "trackers/{device}/fix",
    ),
    "cold-1": Simulated(
        "sensor-json", ("--count", "60", "--rate", "8", "--mishap", AT_A_BROKER), "",
        "sensors/{device}/values",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Story]]:
    """All devices at once at one gateway: the run takes as long as the slowest of them."""
    with nats() as broker, fake_ingest(broker.url) as ingest:
        rig = GatewayRig(tmp_path_factory.mktemp("simulated"), broker.url)
        yield play(rig, ingest, broker.url, DEVICES)


def test_every_scan_that_a_scanner_beeped_for_arrives_once_whatever_the_cable_does(
    stories: dict[str, Story],
) -> None:
    story = stories["scan-ssi"]
    assert len(story.mishaps) >= 5
    assert story.rejects
    codes = Counter(scan.data for scan in story.scans)
    assert set(codes.values()) == {1}
    assert story.told_of("barcode", "data") <= set(codes)
    assert set(codes) <= {line["data"] for line in story.intended}
    assert len(story.told) > 20


def test_every_whole_code_of_a_plain_scanner_arrives_and_one_behind_half_a_code_is_marked(
    stories: dict[str, Story],
) -> None:
    story = stories["scan-lines"]
    assert len(story.mishaps) >= 4
    codes = Counter(scan.data for scan in story.scans if not scan.quality)
    assert set(codes.values()) == {1}
    assert set(codes) <= {line["data"] for line in story.intended}
    marked = " ".join(scan.data for scan in story.scans if scan.quality)
    missing = story.told_of("barcode", "data") - set(codes)
    assert all(code in marked for code in missing)
    assert len(missing) <= len(story.intended) / 5


def test_noise_on_plain_codes_never_makes_another_article_or_pallet(
    stories: dict[str, Story],
) -> None:
    story = stories["scan-noise"]
    assert story.mishaps == {"corrupt", "split"}
    scans = Counter(scan.data for scan in story.scans)
    assert all(scans[code] == 1 for code in story.told_of("barcode", "data"))
    printed = " ".join(line["data"] for line in story.intended)
    keys = [
        value
        for scan in story.scans
        if not scan.quality
        for ai, value in scan.elements
        if ai in {"00", "01", "02"}
    ]
    assert keys
    assert all(key in printed or key[1:] in printed for key in keys)


@pytest.mark.parametrize(
    "device", ["rfid-chafon", "rfid-r200", "rfid-fx", "rfid-sled", "rfid-r700"]
)
def test_every_tag_that_was_surely_read_arrives_once_and_no_other(
    stories: dict[str, Story], device: str
) -> None:
    story = stories[device]
    assert len(story.mishaps) >= 3
    assert set(Counter(story.arrivals).values()) == {1}
    assert story.told_of("rfid", "epc") <= set(story.arrivals)
    assert set(story.arrivals) <= {line["epc"] for line in story.intended}
    assert len(story.told_of("rfid", "epc")) == 8
    if "corrupt" in story.mishaps:
        assert story.rejects


@pytest.mark.parametrize("device", ["gps-nmea", "phone-1", "truck-1", "truck-2"])
def test_every_fix_that_went_out_arrives_once_at_its_true_place(
    stories: dict[str, Story], device: str
) -> None:
    story = stories[device]
    assert len(story.mishaps) >= 3
    meant = {_instant(line["time"]): line for line in story.intended_of("position")}
    times = Counter(position.time for position in story.positions)
    assert set(times.values()) == {1}
    assert {_instant(time) for time in story.told_of("position", "time")} <= set(times)
    for position in story.positions:
        truth = meant[position.time]
        assert position.lat == pytest.approx(truth["lat"], abs=1e-6)
        assert position.lon == pytest.approx(truth["lon"], abs=1e-6)
        if position.speed_mps is not None:
            assert position.speed_mps == pytest.approx(truth["speed_mps"], abs=1.0)
        assert "teleport" not in position.quality
    assert len(times) >= len(meant) / 4


@pytest.mark.parametrize("device", ["cold-1", "truck-1", "phone-1"])
def test_what_a_sensor_sent_arrives_once_with_its_true_values(
    stories: dict[str, Story], device: str
) -> None:
    story = stories[device]
    meant = {_instant(line["time"]): line["values"] for line in story.intended_of("telemetry")}
    times = Counter(measured.time for measured in story.telemetry)
    assert set(times.values()) == {1}
    assert {_instant(time) for time in story.told_of("telemetry", "time")} <= set(times)
    for measured in story.telemetry:
        assert measured.values == pytest.approx(meant[measured.time])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
