"""Receivers as they are built: made-up recordings with every talker, order and set of sentences,
rates up to 10 fixes a second, sentences that come more seldom than the rest, other protocols in
between. The generator has its own arithmetic; the truth is what went into it.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waystock_gateway.devices.nmea.decoder import NmeaDecoder
from waystock_gateway.readings import Decoded, Fix, Reject

TALKERS = ("GP", "GN", "GL", "GA", "GB", "BD", "QZ", "GQ", "GI", "PQ")
POSITIONED = ("RMC", "GGA", "GLL", "GNS")
OTHERS = ("VTG", "GSA", "ZDA", "GSV", "TXT")
LINE_ENDS = (b"\r\n", b"\r", b"\n", b"\r\r\n")
NOISE = (
    b"",
    bytes.fromhex("B56201071400400D0300240A0B0C0D0E0F10111213141516171819A2B4"),
    bytes.fromhex("A0A20004980102030 09EB0B3".replace(" ", "")),
    b"!AIVDM,1,1,,A,13aEOK?P00PD2wVMdLDRhgvL289?,0*26\r\n",
    b"$PUBX,00,081350.00*0E\r\n",
    b"\xff\x81\xce\x03\x00\x00",
    b"$GPRMC,0613",
)


@dataclass
class Recording:
    """What a receiver sent, burst by burst, and what it meant."""

    bursts: list[bytes] = field(default_factory=list)
    truth: dict[datetime, tuple[float, float, float, float]] = field(default_factory=dict)
    """By instant: latitude, longitude, speed in m/s, course."""


def spoken(body: str, rng: random.Random, line_end: bytes) -> bytes:
    check = 0
    for byte in body.encode():
        check ^= byte
    digits = f"{check:02x}" if rng.random() < 0.5 else f"{check:02X}"
    return b"$" + body.encode() + b"*" + digits.encode() + line_end


def record(
    rng: random.Random,
    order: list[str],
    *,
    start: datetime,
    hertz: int = 1,
    seldom: dict[str, int] | None = None,
    noise: bytes = b"",
    fixes: int = 12,
) -> Recording:
    """`seldom`: sentences that come with every nth fix only."""
    recording = Recording()
    talker, line_end = rng.choice(TALKERS), rng.choice(LINE_ENDS)
    decimals = rng.choice((0, 2, 3)) if hertz == 1 else rng.choice((1, 2, 3))
    lat, lon = rng.uniform(-89, 89), rng.uniform(-179, 179)
    for number in range(fixes):
        instant = start + timedelta(seconds=number / hertz)
        lat, lon = lat + rng.uniform(-1e-5, 1e-5), lon + rng.uniform(-1e-5, 1e-5)
        speed_mps, course = rng.uniform(0, 40), rng.uniform(0, 359.8)
        kinds = [kind for kind in order if number % (seldom or {}).get(kind, 1) == 0]
        burst = b""
        for kind in kinds:
            body = BODIES[kind](clock(instant, decimals), instant, lat, lon, speed_mps, course)
            burst += noise + spoken(f"{talker}{body}", rng, line_end)
        recording.bursts.append(burst)
        if any(kind in POSITIONED for kind in kinds):
            recording.truth[instant] = (lat, lon, speed_mps, course)
    return recording


def clock(instant: datetime, decimals: int) -> str:
    text = instant.strftime("%H%M%S")
    fraction = f"{instant.microsecond:06d}"[:decimals]
    return f"{text}.{fraction}" if decimals else text


def place(lat: float, lon: float) -> str:
    north, east = round(abs(lat) * 6e6), round(abs(lon) * 6e6)
    return (
        f"{north // 6_000_000:02d}{north % 6_000_000 / 1e5:08.5f},{'S' if lat < 0 else 'N'},"
        f"{east // 6_000_000:03d}{east % 6_000_000 / 1e5:08.5f},{'W' if lon < 0 else 'E'}"
    )


BODIES = {
    "RMC": lambda t, at, lat, lon, v, c: (
        f"RMC,{t},A,{place(lat, lon)},{v / 0.514444:.4f},{c:.2f},{at:%d%m%y},,,A,V"
    ),
    "GGA": lambda t, at, lat, lon, v, c: f"GGA,{t},{place(lat, lon)},1,09,0.9,31.4,M,9.7,M,,",
    "GNS": lambda t, at, lat, lon, v, c: f"GNS,{t},{place(lat, lon)},AAN,17,0.8,31.4,9.7,,,V",
    "GLL": lambda t, at, lat, lon, v, c: f"GLL,{place(lat, lon)},{t},A,A",
    "VTG": lambda t, at, lat, lon, v, c: f"VTG,{c:.2f},T,,M,{v / 0.514444:.4f},N,{v * 3.6:.4f},K,A",
    "GSA": lambda t, at, lat, lon, v, c: "GSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1,1",
    "ZDA": lambda t, at, lat, lon, v, c: f"ZDA,{t},{at:%d},{at:%m},{at:%Y},00,00",
    "GSV": lambda t, at, lat, lon, v, c: "GSV,1,1,02,01,40,083,46,02,17,308,41",
    "TXT": lambda t, at, lat, lon, v, c: "TXT,01,01,02,ANTSTATUS=OK",
}


def in_a_file(recording: Recording) -> list[Decoded]:
    decoder = NmeaDecoder(hurry=False)
    return decoder.feed(b"".join(recording.bursts)) + decoder.finish()


def through_a_port(recording: Recording, rng: random.Random, *, pauses: bool) -> list[Decoded]:
    """Reads of any length; with `pauses` the line falls silent between bursts."""
    decoder, found = NmeaDecoder(), list[Decoded]()
    for burst in recording.bursts:
        while burst:
            size = rng.randint(1, 90)
            found += decoder.feed(burst[:size])
            burst = burst[size:]
        found += decoder.idle() if pauses else []
    return found + decoder.finish()


def differences(found: list[Decoded], recording: Recording, *, motion: bool) -> list[str]:
    """What the fixes say otherwise than the truth, in words."""
    fixes = [item for item in found if isinstance(item, Fix)]
    wrong = [f"{fix.time_of_day}: nobody was there" for fix in fixes if fix.time is None]
    by_time = {fix.time: fix for fix in fixes if fix.time is not None}
    wrong += [f"{time}: nothing was sent" for time in by_time.keys() - recording.truth.keys()]
    wrong += [] if len(by_time) == len(fixes) else ["an instant is told twice"]
    for time, (lat, lon, speed_mps, course) in recording.truth.items():
        fix = by_time.get(time)
        if fix is None:
            wrong.append(f"{time}: lost")
            continue
        if abs(fix.lat - lat) > 1e-7 or abs(fix.lon - lon) > 1e-7:
            wrong.append(f"{time}: {fix.lat}, {fix.lon} is not {lat}, {lon}")
        if motion and not (fix.speed_mps is not None and abs(fix.speed_mps - speed_mps) < 0.001):
            wrong.append(f"{time}: {fix.speed_mps} m/s is not {speed_mps}")
        if motion and not (
            fix.course_deg_true is not None and abs(fix.course_deg_true - course) < 0.01
        ):
            wrong.append(f"{time}: {fix.course_deg_true}° is not {course}")
    return wrong


@st.composite
def receivers(draw: st.DrawFn) -> tuple[random.Random, list[str], dict[str, Any]]:
    kinds = [
        "RMC",
        *draw(st.lists(st.sampled_from(POSITIONED[1:]), unique=True)),
        *draw(st.lists(st.sampled_from(OTHERS), unique=True)),
    ]
    start = draw(
        st.sampled_from(
            [
                datetime(2026, 11, 23, 6, 1, 2, tzinfo=UTC),
                datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC),
                datetime(2024, 2, 28, 23, 59, 58, tzinfo=UTC),
                datetime(1999, 8, 21, 23, 59, 50, tzinfo=UTC),
                datetime(2019, 4, 6, 23, 59, 40, tzinfo=UTC),
            ]
        )
    )
    options: dict[str, Any] = {
        "start": start,
        "hertz": draw(st.sampled_from([1, 5, 10])),
        "noise": draw(st.sampled_from(NOISE)),
    }
    order = list(draw(st.permutations(kinds)))
    timed = [kind for kind in order if kind in {*POSITIONED, "ZDA", "VTG"}]
    if timed[0] == "VTG":  # it names no instant: that it leads can't be seen in a file
        order.remove("VTG")
        order.append("VTG")
    return random.Random(draw(st.integers(0, 10**6))), order, options


@settings(max_examples=60)
@given(receivers())
def test_every_instant_of_every_receiver_is_one_fix_with_all_its_figures(
    receiver: tuple[random.Random, list[str], dict[str, Any]],
) -> None:
    rng, order, options = receiver
    recording = record(rng, order, **options)
    assert differences(in_a_file(recording), recording, motion=True) == []
    # A port may end an epoch by a pause or by knowing what comes in it: nothing is lost by either.
    for pauses in (True, False):
        found = through_a_port(recording, rng, pauses=pauses)
        assert differences(found, recording, motion=pauses) == []


@pytest.mark.parametrize("order", [["GGA", "RMC"], ["GGA", "RMC", "VTG"], ["RMC", "GGA", "ZDA"]])
@pytest.mark.parametrize("begin", [0, 3])
def test_a_sentence_that_comes_with_every_tenth_fix_is_waited_for(
    order: list[str], begin: int
) -> None:
    seldom = {kind: 10 for kind in order[1:] if kind != "GGA"}
    start = datetime(2026, 11, 23, 23, 59, 58, tzinfo=UTC)
    recording = record(random.Random(4), order, start=start, hertz=10, seldom=seldom, fixes=60)
    recording.bursts = recording.bursts[begin:]
    found = through_a_port(recording, random.Random(5), pauses=False)
    late = [item for item in found if isinstance(item, Reject) and item.reason == "late_sentence"]
    assert len(late) <= 1
    told = [item for item in found if isinstance(item, Fix) and item.speed_mps is not None]
    assert len(told) >= 4
    assert all(fix.time is not None for fix in told)


def test_the_date_in_a_sentence_that_came_too_late_is_not_lost() -> None:
    start = datetime(2026, 11, 23, 6, 1, 2, tzinfo=UTC)
    first, second = record(random.Random(6), ["GGA", "RMC"], start=start, fixes=2).bursts
    decoder = NmeaDecoder()
    gga, rmc = first[: first.index(b"$", 1)], first[first.index(b"$", 1) :]
    decoder.feed(gga)
    decoder.idle()
    decoder.feed(rmc)
    (fix,) = decoder.feed(second[: second.index(b"$", 1)]) + decoder.idle()
    assert isinstance(fix, Fix)
    assert fix.time == start + timedelta(seconds=1)


def test_a_receiver_that_repeats_itself_for_ever_is_believed_once_and_fills_no_memory() -> None:
    start = datetime(2026, 11, 23, 6, 1, 2, tzinfo=UTC)
    frozen = record(random.Random(7), ["RMC", "GGA"], start=start, fixes=1).bursts[0]
    decoder = NmeaDecoder()
    found = [item for _ in range(5_000) for item in decoder.feed(frozen)] + decoder.finish()
    assert len([item for item in found if isinstance(item, Fix)]) == 1
