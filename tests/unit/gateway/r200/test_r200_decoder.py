"""R200 frames. Golden frames: YRM100/M100 command manual ("inventory notice", "no tag" and start
commands); the others by the encoder below.
"""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.devices.r200.decoder import R200Decoder, make_line
from waystock_gateway.devices.r200.settings import R200Settings
from waystock_gateway.readings import Decoded, Reject, TagRead

NOTICE = bytes.fromhex("BB02220011C9340030751FEB705C5904E3D50D703A76EF7E")
NO_TAG = bytes.fromhex("BB01FF000115167E")


def crc16(data: bytes) -> int:
    """CRC-16/GENIBUS bit by bit: polynomial 1021, start FFFF, inverted at the end."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc ^ 0xFFFF


def frame(kind: int, command: int, payload: bytes) -> bytes:
    body = bytes([kind, command, len(payload) >> 8, len(payload) & 0xFF]) + payload
    return b"\xbb" + body + bytes([sum(body) & 0xFF]) + b"\x7e"


def notice(epc: bytes, rssi: int = -50) -> bytes:
    control = (len(epc) // 2 << 11).to_bytes(2, "big")
    crc = crc16(control + epc).to_bytes(2, "big")
    return frame(2, 0x22, bytes([rssi & 0xFF]) + control + epc + crc)


epcs = st.binary(min_size=2, max_size=62).filter(lambda epc: len(epc) % 2 == 0)


def reads(found: list[Decoded]) -> list[str]:
    return [item.epc for item in found if isinstance(item, TagRead)]


def test_the_manual_s_notice_is_read() -> None:
    (read,) = R200Decoder().feed(NOTICE)
    assert read == TagRead(epc="30751FEB705C5904E3D50D70", rssi_dbm=-55.0)


def test_a_module_that_hears_nothing_is_not_an_error() -> None:
    assert R200Decoder().feed(NO_TAG) == []


def test_inventory_is_started_with_the_manual_s_command() -> None:
    line = make_line(R200Settings())
    assert line.on_open == bytes.fromhex("BB00270003 22FFFF 4A7E".replace(" ", ""))
    assert line.wake_after_s == 5.0
    assert make_line(R200Settings(poll=False)).on_open == b""


@given(st.lists(epcs, max_size=5), st.lists(st.integers(min_value=0)))
def test_no_tag_is_missed_however_the_stream_is_cut(sent: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(notice, sent))
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    decoder = R200Decoder()
    found = [x for a, b in itertools.pairwise(edges) for x in decoder.feed(data[a:b])]
    assert reads(found) == [epc.hex().upper() for epc in sent]


@given(st.binary(max_size=80), epcs)
def test_a_tag_after_garbage_is_found(garbage: bytes, epc: bytes) -> None:
    decoder = R200Decoder()
    found = decoder.feed(garbage + notice(epc)) + decoder.idle()
    assert epc.hex().upper() in reads(found)


def test_a_frame_after_a_cut_off_one_is_found_within_one_frame() -> None:
    found = R200Decoder().feed(NOTICE[:15] + NOTICE + NOTICE)
    assert reads(found) == ["30751FEB705C5904E3D50D70"] * 2


def test_an_end_mark_inside_a_tag_does_not_end_its_frame() -> None:
    assert reads(R200Decoder().feed(notice(b"\x7e\xbb" * 6))) == ["7EBB" * 6]


def test_a_tag_garbled_on_the_air_is_refused() -> None:
    good = bytearray(notice(b"\x30" * 12))
    good[10] ^= 1
    good[-2] = sum(good[1:-2]) & 0xFF
    (reject,) = R200Decoder().feed(bytes(good))
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.at) == ("tag_crc", 0)


def test_a_frame_garbled_on_the_wire_is_refused() -> None:
    spoilt = NOTICE[:10] + b"\x00" + NOTICE[11:]
    decoder = R200Decoder()
    found = decoder.feed(spoilt) + decoder.idle()
    assert found
    assert all(isinstance(item, Reject) for item in found)


@given(st.binary(max_size=400))
def test_random_bytes_never_raise(garbage: bytes) -> None:
    decoder = R200Decoder()
    decoder.feed(garbage)
    decoder.finish()
