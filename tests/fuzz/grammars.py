"""Good frames of each device kind, each with what a reading of it must say, and how to seal a
spoilt one again (length, checksum) so that it gets past the framing. Encoded by firmware-sim, or
here where that has no such device: never by the gateway. Downstream: `subjects`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from waystock_firmware_sim.protocol import epc, gs1, nmea, r200, ssi
from waystock_gateway.readings import Fix, Measurement, Reading, Scan, TagRead

FIRST_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_PREFIX = "9501101"
_RECEIVER_ORDERS: tuple[tuple[nmea.Sentence, ...], ...] = (
    ("RMC", "GGA", "VTG"), ("GGA", "RMC"), ("GGA", "VTG", "RMC"), ("RMC",), ("RMC", "VTG"),
)  # fmt: skip


class Golden(NamedTuple):
    """A good frame, and what `saying` makes of one of its readings."""

    frame: bytes
    heard: str


@dataclass(frozen=True)
class Grammar:
    """How to write one kind's frames. `seal` puts length and checksum right again; it may be given
    anything."""

    golden: Callable[[Random], Golden]
    seal: Callable[[bytes], bytes] | None = None
    is_json: bool = False
    line_end: bytes = b""
    """Behind each JSON document of a stream."""


def saying(reading: Reading) -> str:
    """What a reading says, in the words of `Golden.heard`."""
    match reading:
        case Scan():
            return reading.data
        case TagRead():
            return reading.epc
        case Fix():
            return place(reading.lat, reading.lon)
        case Measurement():
            return json.dumps(reading.values, sort_keys=True)
        case _:
            return ""


def place(lat: float, lon: float) -> str:
    """To some 10 m: encoders round where they like."""
    return f"{lat + 0.0:.4f},{lon + 0.0:.4f}"


def _somewhere(rng: Random) -> tuple[float, float]:
    """Away from the edges at which `place` would round otherwise on the two sides."""
    return rng.randint(-890_000, 890_000) / 10_000, rng.randint(-1_790_000, 1_790_000) / 10_000


def _epc(rng: Random) -> bytes:
    return epc.sscc_96(gs1.sscc(rng.randint(0, 9), _PREFIX, rng.randrange(10**9)), len(_PREFIX))


# --- barcodes ----------------------------------------------------------------------------------


def code(rng: Random) -> str:
    """A code as a scanner sends it, with AIM identifier or without."""
    gtin = gs1.gtin_14(_PREFIX, rng.randrange(100_000))
    sscc = gs1.sscc(rng.randint(0, 9), _PREFIX, rng.randrange(10**9))
    lot = f"L{rng.randrange(10**4)}"
    return rng.choice((
        f"]C1{gs1.pallet_label(sscc, gtin, rng.randint(1, 99), lot)}",
        f"]C1{gs1.logistic_label(sscc)}",
        f"]d2{gs1.item_label(gtin, rng.randint(1, 99), lot)}",
        f"]Q3{gs1.location_label(gs1.gln(_PREFIX, rng.randrange(100_000)), 'A-01')}",
        f"]C1{gs1.order_label(lot)}",
        f"]E0{gtin[1:]}", f"]I1{gtin}", f"]E0{gtin[1:]}|]e017261231",
        f"]Q1https://id.gs1.org/01/{gtin}/10/{lot}?17=261231",
        f"https://example.org/gtin/{gtin}/ser/{lot}",
        f"(01){gtin}(10){lot}", gs1.item_label(gtin, 5, lot), gtin, f"]A0{lot}-{gtin}", lot + gtin,
        f"]C1310300{rng.randrange(10**4):04d}3922{rng.randrange(10**5)}\x1d11260229",
    ))  # fmt: skip


def _spoken(text: str) -> str:
    """What the scan of a code says: the code without its AIM identifier."""
    return text[3:] if text.startswith("]") else text


def barcode_lines(rng: Random) -> Golden:
    text = code(rng)
    return Golden(text.encode() + b"\r\n", _spoken(text))


def barcode_ssi(rng: Random) -> Golden:
    text = code(rng)
    return Golden(ssi.decode_data(ssi.TYPE_GS1_128, text, rng.random() < 0.2), _spoken(text))


def seal_ssi(frame: bytes) -> bytes:
    if len(frame) < 6:
        return frame
    body = bytes((min(len(frame) - 2, 255),)) + frame[1:-2]
    return body + ssi.checksum(body)


def gs1_message(rng: Random) -> Golden:
    text = _spoken(code(rng))
    return Golden(text.encode(), text)


def epc_bank(rng: Random) -> Golden:
    """Of any scheme: the header is drawn, the rest is right for SSCC-96 only."""
    bank = _epc(rng)
    if rng.random() < 0.8:
        header = rng.choice((*range(0x2C, 0x42), *range(0xF0, 0xFC), 0xE2))
        bank = bytes((header,)) + rng.randbytes(rng.choice((11, 13, 15, 21, 25, 27, 61)))
    return Golden(bank, bank.hex().upper())


# --- GPS units ---------------------------------------------------------------------------------


def nmea_burst(rng: Random) -> Golden:
    lat, lon = _somewhere(rng)
    # To the hundredth: two bursts of one instant would rightly be one fix.
    instant = timedelta(milliseconds=10 * rng.randrange(300 * 86_400 * 100))
    fix = nmea.Fix(
        time=FIRST_TIME + instant,
        lat=lat,
        lon=lon,
        speed_mps=rng.uniform(0, 30),
        course_deg_true=rng.uniform(0, 359.9),
        altitude_m=rng.uniform(-10, 4000),
        hdop=rng.uniform(0.5, 20),
        satellites=rng.randint(3, 40),
    )
    talker, order = rng.choice(("GP", "GN", "BD", "GL")), rng.choice(_RECEIVER_ORDERS)
    burst = b"".join(nmea.sentences(fix, talker, order))
    return Golden(burst, place(lat, lon))


def more_nmea(rng: Random) -> Golden:
    """With the sentences that firmware-sim's receiver does not send, and the void ones."""
    golden = nmea_burst(rng)
    time = FIRST_TIME + timedelta(seconds=rng.randrange(10**6))
    lines = [
        f"$GPZDA,{time:%H%M%S}.00,{time:%d},{time:%m},{rng.choice((time.year, 1, 9999))},00,00*",
        f"$GPGLL,3112.3456,N,12124.5678,E,{time:%H%M%S},A,A*",
        f"$GNGNS,{time:%H%M%S},3112.3456,N,12124.5678,E,AN,08,0.9,12.5,10.0,,,V*",
        f"$GPGSA,A,{rng.choice('123')},02,10,28,,,,,,,,,,02.2,02.2,*",
        f"$GPGGA,{time:%H%M%S},,,,,0,,,,M,,M,,*",
        b"".join(nmea.no_fix_sentences(time, "GP")).decode().strip(),
    ]
    own = "\r\n".join(rng.sample(lines, rng.randint(1, len(lines)))) + "\r\n"
    return golden._replace(frame=seal_nmea(own.encode()) + golden.frame)


def seal_nmea(text: bytes) -> bytes:
    """A right checksum behind each line's `*`."""
    lines = text.split(b"\r\n")
    return b"\r\n".join(_seal_sentence(line) for line in lines)


def _seal_sentence(line: bytes) -> bytes:
    body, star, _ = line.partition(b"*")
    if not star or body[:1] != b"$":
        return line
    check = 0
    for byte in body[1:]:
        check ^= byte
    return body + b"*%02X" % check


# --- RFID readers ------------------------------------------------------------------------------


def r200_notice(rng: Random) -> Golden:
    bank = _epc(rng)
    return Golden(r200.tag_notice(bank, rng.randint(-90, -20)), bank.hex().upper())


def seal_r200(frame: bytes) -> bytes:
    """Tag CRC, length, sum and end mark of whatever stands between header and end."""
    if len(frame) < 12:
        return frame
    payload = frame[5:-4]
    payload += r200.genibus_crc(payload[1:])
    return r200.frame(frame[1] % 3, frame[2], payload)


def chafon_answer(rng: Random) -> Golden:
    bank = _epc(rng)
    other = _epc(rng)
    data = rng.choice((
        (0x01, 0x01, b"\x02\x0c" + other + b"\x0c" + bank),
        (0x01, 0x03, b"\x04\x01\x0c" + bank + b"\x47"),
        (0xEE, 0x00, b"\x01\x0c" + bank + b"\xb9"),
        (0xEE, 0x00, bank),
    ))  # fmt: skip
    return Golden(_chafon_frame(0, *data), bank.hex().upper())


def seal_chafon(frame: bytes) -> bytes:
    if len(frame) < 6:
        return frame
    return _chafon_frame(frame[1], frame[2], frame[3], frame[4:-2][:250])


def _chafon_frame(address: int, command: int, status: int, data: bytes) -> bytes:
    head = bytes((len(data) + 5, address, command, status)) + data
    return head + _mcrf4xx(head).to_bytes(2, "little")


def _mcrf4xx(data: bytes) -> int:
    """CRC-16/MCRF4XX bit by bit: polynomial 1021 reflected, init FFFF, no final exclusive or."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


# --- JSON --------------------------------------------------------------------------------------


def _document(document: object, heard: str) -> Golden:
    return Golden(json.dumps(document).encode(), heard)


def zebra_fx(rng: Random) -> Golden:
    bank = _epc(rng).hex()
    data = {"idHex": bank, "antenna": rng.randint(1, 8), "peakRssi": rng.randint(-90, -20)}
    message = {"type": "SIMPLE", "timestamp": "2026-11-23T06:01:02.500+0000", "data": data}
    return _document(rng.choice((message, [message, message])), bank.upper())


def rfd40(rng: Random) -> Golden:
    banks = [_epc(rng).hex().upper() for _ in range(rng.randint(1, 5))]
    tags = [{"idHex": bank, "peakRssi": -48} for bank in banks]
    return _document({"data": {"tagData": tags}}, banks[-1])


def impinj(rng: Random) -> Golden:
    bank = _epc(rng).hex().upper()
    event = {"epcHex": bank, "antennaPort": rng.randint(1, 4), "peakRssiCdbm": -5450}
    return _document({"eventType": "tagInventory", "tagInventoryEvent": event}, bank)


def owntracks(rng: Random) -> Golden:
    lat, lon = _somewhere(rng)
    message = {
        "_type": "location", "acc": 8, "alt": 12, "batt": 74, "cog": 90, "lat": lat, "lon": lon,
        "tid": "aa", "tst": 1_795_413_662 + rng.randrange(10**6), "vac": 3, "vel": 36, "conn": "m",
    }  # fmt: skip
    return _document(message, place(lat, lon))


def teltonika_json(rng: Random) -> Golden:
    lat, lon = _somewhere(rng)
    now_ms = 1_795_413_662_500 + rng.randrange(10**9)
    short = {
        "ts": now_ms, "pr": 0, "latlng": f"{lat:.6f},{lon:.6f}", "alt": 110, "ang": 90, "sat": 9,
        "sp": 36, "evt": 239, "239": 1, "66": 12_650, "16": 184_220, "72": -185,
    }  # fmt: skip
    gps = {"longitude": lon, "latitude": lat, "speed": 36, "angle": 90, "satellites": 9}
    io = rng.choice(({"239": 1, "66": 12_650}, [{"id": 239, "value": 1}, {"id": 66, "value": 9}]))
    long = {"timestamp": now_ms, "priority": 1, "gps": gps, "io": io}
    record = rng.choice((short, long))
    reported = rng.choice((record, [record]))
    return _document({"state": {"reported": reported}}, place(lat, lon))


def tracker_json(rng: Random) -> Golden:
    lat, lon = _somewhere(rng)
    time = FIRST_TIME + timedelta(milliseconds=rng.randrange(10**10))
    message = {
        "lat": lat, "lon": lon, "time": time.isoformat(), "speed_mps": 3.2, "hdop": 0.9,
        "course_deg_true": 90.5, "altitude_m": 12.0, "accuracy_m": 8, "satellites": 9,
    }  # fmt: skip
    return _document(message, place(lat, lon))


def sensor_json(rng: Random) -> Golden:
    celsius = rng.randint(-300, 500) / 10
    message = {"time": 1_795_413_662 + rng.randrange(10**6), "temperature_c": celsius}
    return _document(message, json.dumps({"temperature_c": celsius}))


def gpsd_report(rng: Random) -> Golden:
    """A line of a gpsd: where the unit is, or what it sees of the sky."""
    if rng.random() < 0.2:
        sky = {"class": "SKY", "hdop": 0.9, "satellites": [{"PRN": 2, "used": True}], "uSat": 7}
        return Golden(json.dumps(sky).encode() + b"\r\n", "")
    lat, lon = _somewhere(rng)
    time = FIRST_TIME + timedelta(milliseconds=rng.randrange(10**10))
    report = {
        "class": "TPV", "device": "/dev/ttyUSB0", "mode": rng.choice((2, 3)), "lat": lat,
        "lon": lon, "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "speed": 3.2, "track": 90.5, "altMSL": 12.0, "altHAE": 22.5, "geoidSep": 10.5, "eph": 8.1,
        "epx": 3.1, "epy": 2.2, "status": 1,
    }  # fmt: skip
    return Golden(json.dumps(report).encode() + b"\r\n", place(lat, lon))


GRAMMARS = {
    "barcode": Grammar(barcode_lines),
    "barcode-ssi": Grammar(barcode_ssi, seal_ssi),
    "chafon": Grammar(chafon_answer, seal_chafon),
    "epc": Grammar(epc_bank),
    "gpsd": Grammar(gpsd_report, is_json=True, line_end=b"\r\n"),
    "gs1": Grammar(gs1_message),
    "impinj": Grammar(impinj, is_json=True),
    "nmea": Grammar(more_nmea, seal_nmea),
    "owntracks": Grammar(owntracks, is_json=True),
    "r200": Grammar(r200_notice, seal_r200),
    "rfd40": Grammar(rfd40, is_json=True),
    "sensor-json": Grammar(sensor_json, is_json=True),
    "teltonika-json": Grammar(teltonika_json, is_json=True),
    "tracker-json": Grammar(tracker_json, is_json=True),
    "zebra-fx": Grammar(zebra_fx, is_json=True),
}
"""By name of the subject."""
