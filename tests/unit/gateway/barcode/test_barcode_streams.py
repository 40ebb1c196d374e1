"""Framing of scanner streams: no code may be lost, doubled or glued by how bytes arrive."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.devices.barcode.content import refusal
from waystock_gateway.devices.barcode.decoder import LineDecoder, SsiDecoder, make_line
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.readings import Answer, Decoded, Decoder, Reject, Scan

ACK = bytes.fromhex("04D00400FF28")
"""CMD_ACK from the host, as Zebra's Simple Serial Interface Programmer's Guide prints it."""

codes = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1).filter(
    lambda code: refusal(code.encode(), BarcodeSettings()) is None
)
code_lists = st.lists(codes, max_size=6)


def feed_split(decoder: Decoder, data: bytes, cuts: list[int]) -> list[Decoded]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    found: list[Decoded] = []
    for start, end in itertools.pairwise(edges):
        found += decoder.feed(data[start:end])
    return found


def texts(found: list[Decoded]) -> list[str]:
    return [scan.aim + scan.data for scan in found if isinstance(scan, Scan)]


def ssi_packet(code: str, *, status: int = 0, opcode: int = 0xF3) -> bytes:
    """An encoder of its own: length, opcode, source, status, type, data, two's complement."""
    body = bytes([5 + len(code), opcode, 0, status, 0x0F]) + code.encode("latin-1")
    total = sum(body)
    return body + bytes([(0x10000 - total) >> 8 & 0xFF, (0x10000 - total) & 0xFF])


@given(code_lists, st.lists(st.integers(min_value=0)), st.sampled_from(["\r", "\n", "\r\n"]))
def test_no_code_is_lost_however_reads_cut_the_stream(
    sent: list[str], cuts: list[int], terminator: str
) -> None:
    data = "".join(code + terminator for code in sent).encode()
    assert texts(feed_split(LineDecoder(BarcodeSettings()), data, cuts)) == sent


def test_a_half_code_waits_for_its_other_half() -> None:
    decoder = LineDecoder(BarcodeSettings())
    assert decoder.feed(b"]E09501101") == []
    assert texts(decoder.feed(b"530003\r")) == ["]E09501101530003"]


def test_a_pause_ends_a_code_without_terminator() -> None:
    line = make_line(BarcodeSettings(terminator="none"))
    assert line.idle_flush_s == 0.1
    assert line.decoder.feed(b"HELLO") == []
    assert texts(line.decoder.idle()) == ["HELLO"]
    assert line.decoder.idle() == []


def test_a_2d_code_may_hold_a_line_end_where_crlf_terminates() -> None:
    decoder = LineDecoder(BarcodeSettings(terminator="crlf"))
    assert texts(decoder.feed(b"A\rB\r\nC\r\n")) == ["A\rB", "C"]


def test_stx_and_etx_are_cut_off() -> None:
    decoder = LineDecoder(BarcodeSettings(prefix="\x02", terminator="etx"))
    assert texts(decoder.feed(b"\x02A\x03\x02B\x03")) == ["A", "B"]


def test_an_endless_code_is_refused_once_and_the_next_one_is_read() -> None:
    decoder = LineDecoder(BarcodeSettings(length_max=16))
    found = decoder.feed(b"X" * 50) + decoder.feed(b"Y" * 50 + b"\rGOOD\r")
    assert [item.reason for item in found if isinstance(item, Reject)] == ["too_long"]
    assert texts(found) == ["GOOD"]


def test_the_tail_of_an_endless_code_without_terminator_never_passes_for_a_code() -> None:
    decoder = LineDecoder(BarcodeSettings(terminator="none", length_max=16))
    found = [x for byte in b"X" * 16 + b"9501101530003" for x in decoder.feed(bytes((byte,)))]
    found += decoder.idle()
    assert [item.reason for item in found if isinstance(item, Reject)] == ["too_long"]
    assert texts(found) == []
    assert texts(decoder.feed(b"GOOD") + decoder.idle()) == ["GOOD"]


@given(st.binary(max_size=200))
def test_garbage_on_a_scanner_line_never_stops_it(garbage: bytes) -> None:
    decoder = LineDecoder(BarcodeSettings())
    decoder.feed(garbage)
    assert texts(decoder.feed(b"\rGOOD\r"))[-1:] == ["GOOD"]


@given(code_lists, st.lists(st.integers(min_value=0)))
def test_every_ssi_packet_is_read_and_answered_however_it_is_cut(
    sent: list[str], cuts: list[int]
) -> None:
    sent = [code[:200] for code in sent]
    data = b"".join(ssi_packet(code) for code in sent)
    found = feed_split(SsiDecoder(BarcodeSettings()), data, cuts)
    assert texts(found) == sent
    assert {scan.answer for scan in found if isinstance(scan, Scan)} <= {ACK}


def test_the_zebra_manual_s_ack_is_what_we_send() -> None:
    (scan,) = SsiDecoder(BarcodeSettings()).feed(ssi_packet("A1"))
    assert isinstance(scan, Scan)
    assert scan.answer == ACK


def test_a_retransmitted_packet_says_so() -> None:
    (scan,) = SsiDecoder(BarcodeSettings()).feed(ssi_packet("A1", status=1))
    assert isinstance(scan, Scan)
    assert scan.retransmitted


def test_a_spoilt_packet_is_asked_for_again_at_once() -> None:
    good = ssi_packet("A1")
    spoilt = good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]
    decoder = SsiDecoder(BarcodeSettings())
    found = decoder.feed(spoilt) + decoder.idle()
    assert isinstance(found[0], Reject)
    assert found[0].reason == "checksum"
    assert [item.data[1] for item in found if isinstance(item, Answer)] == [0xD1]
    assert texts(decoder.feed(good)) == ["A1"]


def test_a_packet_that_stops_short_is_asked_for_again_once_the_line_is_quiet() -> None:
    decoder = SsiDecoder(BarcodeSettings())
    assert decoder.feed(ssi_packet("A1")[:-1]) == []
    reject, answer = decoder.idle()
    assert isinstance(reject, Reject)
    assert reject.reason == "truncated"
    assert isinstance(answer, Answer)
    assert answer.data[1] == 0xD1


def test_a_no_read_packet_is_counted_and_still_answered() -> None:
    (reject,) = SsiDecoder(BarcodeSettings()).feed(ssi_packet("NOREAD"))
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.answer[1]) == ("no_read", 0xD0)


def test_half_of_a_long_code_never_passes_for_a_whole_one() -> None:
    found = SsiDecoder(BarcodeSettings()).feed(ssi_packet("HALF", status=2) + ssi_packet("REST"))
    assert [item.reason for item in found if isinstance(item, Reject)] == ["ssi_continued"] * 2


@given(st.binary(max_size=60), st.lists(st.integers(min_value=0)))
def test_an_ssi_packet_after_garbage_is_found_once_the_line_is_quiet(
    garbage: bytes, cuts: list[int]
) -> None:
    decoder = SsiDecoder(BarcodeSettings())
    found = feed_split(decoder, garbage + ssi_packet("A1"), cuts) + decoder.idle()
    assert "A1" in texts(found)


@given(st.binary(max_size=300))
def test_random_bytes_never_raise_in_ssi(garbage: bytes) -> None:
    decoder = SsiDecoder(BarcodeSettings())
    decoder.feed(garbage)
    decoder.idle()


def test_half_a_code_of_a_scanner_that_hung_up_never_passes_for_a_whole_one() -> None:
    decoder = LineDecoder(BarcodeSettings())
    [scan] = decoder.feed(b"WHOLE\r\nHAL")
    assert isinstance(scan, Scan)
    assert decoder.finish() == [Reject(reason="unterminated", at=7, raw=b"HAL")]
    assert not decoder.finish()


def test_half_a_packet_of_a_scanner_that_hung_up_is_told_and_not_asked_for_again() -> None:
    half = ssi_packet("CODE")[:-3]
    decoder = SsiDecoder(BarcodeSettings(framing="ssi"))
    assert not decoder.feed(half)
    assert decoder.finish() == [Reject(reason="unterminated", at=0, raw=half)]


def test_hanging_up_ends_a_code_only_where_a_pause_would() -> None:
    assert not make_line(BarcodeSettings()).hang_up_ends_frame
    assert not make_line(BarcodeSettings(framing="ssi")).hang_up_ends_frame
    assert make_line(BarcodeSettings(terminator="none")).hang_up_ends_frame
