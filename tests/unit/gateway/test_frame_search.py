"""The search for frames that the binary readers share: nothing depends on how a read cuts the line,
and what is refused is told apart. Frames by firmware-sim, or as the manuals print them.
"""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_firmware_sim.protocol import epc, gs1, r200, ssi
from waystock_gateway.devices.barcode.decoder import SsiDecoder
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.devices.chafon.decoder import ChafonDecoder
from waystock_gateway.devices.frame_search import GARBAGE_BYTES_MAX
from waystock_gateway.devices.r200.decoder import R200Decoder
from waystock_gateway.readings import Decoded, Decoder, Reject, Scan, TagRead

CHAFON = bytes.fromhex("13000101010C3074257BF7194E4000001A859382")
"""One tag, as the page of the device kind prints it."""
R200 = r200.tag_notice(epc.sscc_96("106141412345678908", 7), -55)
SSI = ssi.decode_data(ssi.TYPE_EAN_13, "]E09501101530003", retransmission=False)
MAKERS: dict[bytes, Callable[[], Decoder]] = {
    CHAFON: lambda: ChafonDecoder(poll=True),
    R200: R200Decoder,
    SSI: lambda: SsiDecoder(BarcodeSettings()),
}
kinds = pytest.mark.parametrize("good", MAKERS, ids=["chafon", "r200", "ssi"])


def rejects(found: list[Decoded]) -> list[Reject]:
    return [item for item in found if isinstance(item, Reject)]


def fed(decoder: Decoder, *reads: bytes) -> list[Decoded]:
    return [item for data in reads for item in decoder.feed(data)] + decoder.idle()


def spoilt(good: bytes) -> st.SearchStrategy[bytes]:
    """Whole, cut off, or with one byte another."""
    return st.one_of(
        st.just(good),
        st.integers(0, len(good)).map(lambda end: good[:end]),
        st.tuples(st.integers(0, len(good) - 1), st.binary(min_size=1, max_size=1)).map(
            lambda change: good[: change[0]] + change[1] + good[change[0] + 1 :]
        ),
        st.binary(max_size=30),
    )


@kinds
@given(data=st.data())
def test_where_a_read_ends_changes_neither_reading_nor_reject(
    good: bytes, data: st.DataObject
) -> None:
    stream = b"".join(data.draw(st.lists(spoilt(good), max_size=8)))
    cuts = data.draw(st.lists(st.integers(0, len(stream))))
    edges = sorted({0, len(stream), *cuts})
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    whole = fed(MAKERS[good](), stream)
    assert fed(MAKERS[good](), *pieces) == whole
    assert fed(MAKERS[good](), *(bytes((byte,)) for byte in stream)) == whole


@kinds
@given(data=st.data())
def test_every_byte_that_is_refused_is_shown_in_its_place(good: bytes, data: st.DataObject) -> None:
    stream = b"".join(data.draw(st.lists(spoilt(good), max_size=8)))
    for reject in rejects(fed(MAKERS[good](), stream)):
        assert stream[reject.at :].startswith(reject.raw)


@kinds
def test_endless_noise_is_reported_piece_by_piece(good: bytes) -> None:
    found = rejects(fed(MAKERS[good](), b"\x00" * 1200))
    assert [len(reject.raw) for reject in found] == [GARBAGE_BYTES_MAX, GARBAGE_BYTES_MAX, 176]
    assert [reject.at for reject in found] == [0, 512, 1024]


@kinds
def test_a_frame_inside_a_spoilt_one_is_found(good: bytes) -> None:
    found = fed(MAKERS[good](), good[:-3] + good + good)
    assert len([item for item in found if isinstance(item, Scan | TagRead)]) == 2


@pytest.mark.parametrize("good", [R200, SSI], ids=["r200", "ssi"])
def test_a_spoilt_frame_is_told_apart_from_the_noise_around_it(good: bytes) -> None:
    bad = good[:9] + bytes((good[9] ^ 1,)) + good[10:]
    found = rejects(fed(MAKERS[good](), b"\x00\x01" + bad + b"\x02\x03" + good))
    assert [(reject.reason, reject.at) for reject in found] == [
        ("garbage", 0),
        ("checksum", 2),
        ("garbage", 2 + len(bad)),
    ]
    assert found[1].raw == bad


@given(st.integers(0, 9), st.integers(0, 10**9 - 1), st.integers(-128, 127))
def test_a_pallet_s_tag_arrives_as_the_module_sent_it(
    extension: int, serial: int, rssi_dbm: int
) -> None:
    bank = epc.sscc_96(gs1.sscc(extension, "9527001", serial), 7)
    found = R200Decoder().feed(r200.tag_notice(bank, rssi_dbm))
    assert found == [TagRead(epc=bank.hex().upper(), rssi_dbm=float(rssi_dbm))]


@given(st.integers(1, 999), st.text("ABC0123456789-", max_size=4), st.booleans())
def test_a_label_arrives_as_the_scanner_sent_it(count: int, lot: str, again: bool) -> None:
    gtin = gs1.gtin_14("9501101", 53_000)
    label = gs1.pallet_label(gs1.sscc(3, "9527001", 1), gtin, count, lot)
    text = gs1.AIM_GS1_128 + label
    (scan,) = SsiDecoder(BarcodeSettings()).feed(ssi.decode_data(ssi.TYPE_GS1_128, text, again))
    assert isinstance(scan, Scan)
    assert (scan.data, scan.aim, scan.retransmitted) == (label, "]C1", again)
    values = dict(scan.elements)
    assert (values["02"], values["37"], values.get("10", "")) == (gtin, str(count), lot)
