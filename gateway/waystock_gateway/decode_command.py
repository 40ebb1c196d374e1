"""`waystock decode`: what a capture says, one JSON object a line, by the very decoders of the
gateway. For installers and testers. Exit status 0 when the input was read to its end (rejects are
lines), 2 on unusable arguments. Upstream: a file or standard input. Downstream: standard output.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from waystock.contract.identifiers import iso_utc
from waystock_gateway.devices.barcode.content import read_frame, refusal
from waystock_gateway.devices.barcode.decoder import LineDecoder
from waystock_gateway.devices.barcode.framing import terminators_of
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.devices.chafon.decoder import ChafonDecoder
from waystock_gateway.devices.gpsd.decoder import GpsdDecoder
from waystock_gateway.devices.gpsd.settings import GpsdSettings
from waystock_gateway.devices.kinds import TAG_DECODERS, TRACKER_DECODERS
from waystock_gateway.devices.nmea.decoder import NmeaDecoder
from waystock_gateway.devices.nmea.settings import NmeaSettings
from waystock_gateway.devices.r200.decoder import R200Decoder
from waystock_gateway.epc.decode import decode_epc
from waystock_gateway.readings import (
    Decoded,
    Decoder,
    Fix,
    InputChange,
    Measurement,
    Reject,
    Scan,
    TagRead,
)
from waystock_gateway.sessions.fixes import Place, Track, follow
from waystock_gateway.settings import MqttSourceSettings

DESCRIPTION = "Prints what a capture says, one JSON object a line / 逐行输出抓包内容（JSON）"
READ_BYTES = 65_536
EPC_HEX_MAX = 124
"""31 words, the most a tag's EPC bank announces."""

Row = dict[str, Any]


def run(argv: list[str]) -> int:
    """Decode and print; see the module's head."""
    options = _parser().parse_intermixed_args(argv)
    with ExitStack() as stack:
        try:
            source = _open(options.file, stack)
        except OSError as error:
            sys.stderr.write(f"waystock decode: {options.file}: {error.strerror}\n")
            return 2
        for row in _rows(options, source):
            sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
    sys.stdout.buffer.flush()
    return 0


def _rows(options: argparse.Namespace, source: BinaryIO) -> Iterator[Row]:
    if options.kind == "barcode":
        return _barcode_rows(source, options.hex, options.gs)
    return _ROWS[options.kind](source, options.hex)


def _open(file: str, stack: ExitStack) -> BinaryIO:
    return sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))


def _nmea_rows(source: BinaryIO, is_hex: bool) -> Iterator[Row]:
    return _fix_rows(NmeaDecoder(hurry=False), source, is_hex, NmeaSettings().speed_mps_max)


def _gpsd_rows(source: BinaryIO, is_hex: bool) -> Iterator[Row]:
    settings = GpsdSettings()
    return _fix_rows(GpsdDecoder(settings), source, is_hex, settings.speed_mps_max)


def _fix_rows(
    decoder: Decoder, source: BinaryIO, is_hex: bool, speed_mps_max: float
) -> Iterator[Row]:
    track: Track | None = None
    for item in _decoded(decoder, _chunks(source, is_hex), decoder.finish):
        if isinstance(item, Reject):
            yield _reject_row(item.reason, item.at, item.raw)
        elif isinstance(item, Fix) and item.time is None:
            yield _reject_row("no_date", item.at, item.raw.encode())
        elif isinstance(item, Fix):
            place = Place(item.time, item.lat, item.lon)  # pyright: ignore
            track, is_teleport = follow(track, place, speed_mps_max)
            yield _fix_row(item, is_teleport)


def _barcode_rows(source: BinaryIO, is_hex: bool, gs_substitute: str = "") -> Iterator[Row]:
    settings = BarcodeSettings(gs_substitute=gs_substitute)
    if not is_hex:
        decoder = LineDecoder(settings)
        for item in _decoded(decoder, _chunks(source, is_hex=False), decoder.idle):
            yield from _scan_rows(item)
        return
    for number, text in _lines(source):
        frame = _unhex(text)
        if frame is None:
            yield _reject_row("not_hex", number, text)
            continue
        frame = _without_terminator(frame, settings)
        reason = refusal(frame, settings)
        if reason is not None:
            yield _reject_row(reason, number, frame)
        elif len(frame) > settings.length_max:
            yield _reject_row("too_long", number, frame)
        else:
            yield _scan_row(read_frame(frame, settings))


def _epc_rows(source: BinaryIO, is_hex: bool) -> Iterator[Row]:
    del is_hex  # an EPC line always is
    for number, text in _lines(source):
        digits = "".join(text.decode("latin-1").split()).removeprefix("0x").removeprefix("0X")
        words = digits.ljust(-(-len(digits) // 4) * 4, "0")
        bank = _unhex(words.encode("latin-1"))
        if bank is None:
            yield _reject_row("not_hex", number, text)
        elif not bank or len(words) > EPC_HEX_MAX or _is_cut(digits, words):
            yield _reject_row("not_whole_words", number, _unhex(digits.encode()) or text)
        else:
            yield _epc_row(bank.hex().upper())


def _is_cut(digits: str, words: str) -> bool:
    """A bank consists of whole words. The standard prints some EPCs without the zeros that fill up
    the last one: those are told by what they hold, all else that is not whole was cut off."""
    return digits != words and decode_epc(words).scheme == "raw"


def _r200_rows(source: BinaryIO, is_hex: bool) -> Iterator[Row]:
    decoder = R200Decoder()
    return _tag_rows(_decoded(decoder, _chunks(source, is_hex), decoder.finish))


def _chafon_rows(source: BinaryIO, is_hex: bool) -> Iterator[Row]:
    decoder = ChafonDecoder()
    return _tag_rows(_decoded(decoder, _chunks(source, is_hex), decoder.finish))


def _reader_rows(kind: str) -> Callable[[BinaryIO, bool], Iterator[Row]]:
    """JSON readers: messages one a line; a reject's place is its line."""

    def rows(source: BinaryIO, is_hex: bool) -> Iterator[Row]:
        for number, text in _lines(source):
            payload = _unhex(text) if is_hex else text
            if payload is None:
                yield _reject_row("not_hex", number, text)
                continue
            for row in _tag_rows(TAG_DECODERS[kind](payload)):
                yield {**row, "at": number} if row["kind"] == "reject" else row

    return rows


def _tag_rows(items: Iterable[Decoded]) -> Iterator[Row]:
    for item in items:
        if isinstance(item, Reject):
            yield _reject_row(item.reason, item.at, item.raw)
        elif isinstance(item, TagRead):
            row = {**_epc_row(item.epc), "epc": item.epc, "rssi_dbm": item.rssi_dbm}
            yield row if item.antenna is None else {**row, "antenna": item.antenna}
        elif isinstance(item, InputChange):
            yield {"kind": "telemetry", "values": {f"input_{item.pin}": float(item.is_high)}}


def _tracker_rows(kind: str) -> Callable[[BinaryIO, bool], Iterator[Row]]:
    """JSON trackers: messages one a line; a reject's place is its line."""
    decode = TRACKER_DECODERS[kind](MqttSourceSettings(topic="{device}"))

    def rows(source: BinaryIO, is_hex: bool) -> Iterator[Row]:
        for number, text in _lines(source):
            payload = _unhex(text) if is_hex else text
            for item in decode(payload or b""):
                if isinstance(item, Reject):
                    yield _reject_row(item.reason, number, item.raw or text)
                elif isinstance(item, Fix):
                    yield _fix_row(item, is_teleport=False)
                elif isinstance(item, Measurement):
                    yield _measurement_row(item)

    return rows


_ROWS = {
    "barcode": _barcode_rows,
    "chafon": _chafon_rows,
    "epc": _epc_rows,
    "gpsd": _gpsd_rows,
    "nmea": _nmea_rows,
    "r200": _r200_rows,
    **{kind: _reader_rows(kind) for kind in TAG_DECODERS},
    **{kind: _tracker_rows(kind) for kind in TRACKER_DECODERS},
}


def _decoded(
    decoder: Decoder, chunks: Iterable[bytes | Reject], finish: Callable[[], list[Decoded]]
) -> Iterator[Decoded]:
    for chunk in chunks:
        if isinstance(chunk, Reject):
            yield chunk
        else:
            yield from decoder.feed(chunk)
    yield from finish()


def _chunks(source: BinaryIO, is_hex: bool) -> Iterator[bytes | Reject]:
    if is_hex:
        for number, text in _lines(source):
            frame = _unhex(text)
            yield Reject(reason="not_hex", at=number, raw=text) if frame is None else frame
        return
    while chunk := source.read(READ_BYTES):
        yield chunk


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines with their number from 1; empty ones are no input."""
    for number, line in enumerate(source, start=1):
        text = line.strip()
        if text:
            yield number, text


def _unhex(text: bytes) -> bytes | None:
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return None


def _without_terminator(frame: bytes, settings: BarcodeSettings) -> bytes:
    while frame.endswith(terminators_of(settings)):
        frame = frame[:-1]
    return frame


def _fix_row(fix: Fix, is_teleport: bool) -> Row:
    assert fix.time is not None
    return {
        "kind": "position",
        "time": iso_utc(fix.time),
        "lat": fix.lat,
        "lon": fix.lon,
        "speed_mps": fix.speed_mps,
        "course_deg_true": fix.course_deg_true,
        "altitude_m": fix.altitude_m,
        "quality": [*fix.quality, *(["teleport"] if is_teleport else [])],
    }


def _measurement_row(measurement: Measurement) -> Row:
    return {
        "kind": "telemetry",
        "time": None if measurement.time is None else iso_utc(measurement.time),
        "values": measurement.values,
        "quality": [],
    }


def _scan_rows(item: Decoded) -> Iterator[Row]:
    if isinstance(item, Scan):
        yield _scan_row(item)
    elif isinstance(item, Reject):
        yield _reject_row(item.reason, item.at, item.raw)


def _scan_row(scan: Scan) -> Row:
    return {
        "kind": "barcode",
        "aim": scan.aim,
        "format": scan.format,
        "data": scan.data,
        "elements": scan.elements,
        "quality": scan.quality,
    }


def _epc_row(epc_hex: str) -> Row:
    epc = decode_epc(epc_hex)
    return {
        "kind": "rfid",
        "scheme": epc.scheme,
        "tag_uri": epc.tag_uri,
        "epc_uri": epc.epc_uri,
        "digital_link": epc.digital_link,
        "elements": epc.elements,
        "filter": epc.filter,
    }


def _reject_row(reason: str, at: int, raw: bytes) -> Row:
    return {"kind": "reject", "reason": reason, "at": at, "raw": raw.hex()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="waystock decode", description=DESCRIPTION)
    parser.add_argument("kind", choices=sorted(_ROWS))
    parser.add_argument(
        "--hex", action="store_true", help="hex, one frame a line / 十六进制，每行一帧"
    )
    parser.add_argument(
        "--gs",
        default="",
        metavar="CHAR",
        help="barcode: what the scanner sends for FNC1 / 条码：扫描器用来代替 FNC1 的字符",
    )
    parser.add_argument(
        "file", nargs="?", default="-", help="a file, or - for standard input / 文件，- 为标准输入"
    )
    return parser
