"""Chafon / UHFReader18 frames: the inventory command as the reader's manual prints it, answers
built here by the manual's layout, and what a bad line makes of them.
"""

import fastcrc
from hypothesis import given, settings
from hypothesis import strategies as st

from waystock_gateway.devices.chafon.decoder import INVENTORY, ChafonDecoder
from waystock_gateway.readings import Answer, Decoded, Reject, TagRead

EPC = bytes.fromhex("3074257BF7194E4000001A85")
OTHER = bytes.fromhex("3174257BF4499602D2000000")


def frame(command: int, status: int, data: bytes = b"", address: int = 0) -> bytes:
    head = bytes((len(data) + 5, address, command, status)) + data
    return head + fastcrc.crc16.mcrf4xx(head).to_bytes(2, "little")


def tag(epc: bytes) -> bytes:
    return bytes((len(epc),)) + epc


def decode(data: bytes) -> list[Decoded]:
    decoder = ChafonDecoder()
    return decoder.feed(data) + decoder.finish()


def epcs(decoded: list[Decoded]) -> list[str]:
    return [item.epc for item in decoded if isinstance(item, TagRead)]


def test_the_inventory_command_is_the_manual_s() -> None:
    assert bytes.fromhex("04FF011BB4") == INVENTORY


def test_an_answer_with_two_tags_is_read() -> None:
    answer = frame(0x01, 0x01, b"\x02" + tag(EPC) + tag(OTHER))
    assert epcs(decode(answer)) == [EPC.hex().upper(), OTHER.hex().upper()]


def test_an_answer_of_a_reader_with_antennas_names_the_antenna() -> None:
    answer = frame(0x01, 0x03, b"\x04\x01" + tag(EPC) + b"\x47")
    assert decode(answer) == [TagRead(epc=EPC.hex().upper(), antenna=3)]


def test_real_time_and_active_mode_are_read() -> None:
    real_time = frame(0xEE, 0x00, b"\x01" + tag(EPC) + b"\xb9")
    assert decode(real_time) == [TagRead(epc=EPC.hex().upper(), antenna=1)]
    assert epcs(decode(frame(0xEE, 0x00, EPC))) == [EPC.hex().upper()]


def test_no_tag_in_the_field_is_no_error_and_a_failed_inventory_is() -> None:
    assert decode(frame(0x01, 0xFB)) == []
    assert decode(frame(0x01, 0x01, b"\x00")) == []
    (failed,) = decode(frame(0x01, 0xF8))
    assert isinstance(failed, Reject)
    assert failed.reason == "reader_error"


def test_tags_that_do_not_fill_their_frame_are_refused() -> None:
    (cut,) = decode(frame(0x01, 0x01, b"\x02" + tag(EPC)))
    assert isinstance(cut, Reject)
    assert cut.reason == "malformed_inventory"


def test_the_next_inventory_is_asked_for_when_one_has_ended_and_not_before() -> None:
    decoder = ChafonDecoder(poll=True)
    assert Answer(INVENTORY) not in decoder.feed(frame(0x01, 0x03, b"\x01" + tag(EPC)))
    assert decoder.feed(frame(0x01, 0xFB)) == [Answer(INVENTORY)]


frames = st.builds(
    lambda epc: frame(0xEE, 0x00, b"\x01" + tag(epc) + b"\x40"),
    st.integers(1, 31).flatmap(lambda words: st.binary(min_size=2 * words, max_size=2 * words)),
)


@settings(max_examples=60)
@given(st.lists(frames, max_size=6), st.data())
def test_pieces_of_any_size_give_the_same_tags(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(sent)
    decoder = ChafonDecoder()
    decoded: list[Decoded] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        decoded += decoder.feed(stream[:size])
        stream = stream[size:]
    assert epcs(decoded) == epcs(decode(b"".join(sent)))
    assert len(epcs(decoded)) == len(sent)


@settings(max_examples=60)
@given(st.binary(max_size=40), st.lists(frames, min_size=1, max_size=4))
def test_noise_costs_no_tag_behind_it(noise: bytes, sent: list[bytes]) -> None:
    wanted = epcs(decode(b"".join(sent)))
    assert epcs(decode(noise + b"".join(sent)))[-len(wanted) :] == wanted


@given(st.binary(max_size=600))
def test_garbage_never_stops_the_port(noise: bytes) -> None:
    for item in decode(noise):
        assert not isinstance(item, Reject) or len(item.raw) <= 512
