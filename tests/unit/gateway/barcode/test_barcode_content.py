"""Golden frames of barcode scanners: what each must become. Frames without a named source follow
the GS1 General Specifications' own example numbers (GTIN 09501101530003, SSCC 395011015300010013).
"""

import pytest

from waystock_gateway.devices.barcode.content import read_frame, refusal
from waystock_gateway.devices.barcode.settings import BarcodeSettings

DEFAULT = BarcodeSettings()
GTIN = ("01", "09501101530003")


@pytest.mark.parametrize(
    ("frame", "aim", "barcode_format", "elements"),
    [
        # GS1-128, General Specifications 5.4
        (b"]C1010950110153000310LOT7", "]C1", "gs1", (GTIN, ("10", "LOT7"))),
        (b"]C1010950110153000310LOT7\x1d21S1", "]C1", "gs1", (GTIN, ("10", "LOT7"), ("21", "S1"))),
        (b"]C1010950110153000310LOT7\x1d", "]C1", "gs1", (GTIN, ("10", "LOT7"))),
        # logistic label: SSCC, content, count, lot
        (
            b"]C10039501101530001001002095011015300033724\x1d10L-7",
            "]C1",
            "gs1",
            (
                ("00", "395011015300010010"),
                ("02", "09501101530003"),
                ("37", "24"),
                ("10", "L-7"),
            ),
        ),
        # location label
        (
            b"]C14149501101020016254A-01-03",
            "]C1",
            "gs1",
            (("414", "9501101020016"), ("254", "A-01-03")),
        ),
        # purchase order
        (b"]C1400PO-1000", "]C1", "gs1", (("400", "PO-1000"),)),
        # DataBar, DataMatrix, QR, DotCode
        (b"]e00109501101530003", "]e0", "gs1", (GTIN,)),
        (b"]d201095011015300031726123110A", "]d2", "gs1", (GTIN, ("17", "261231"), ("10", "A"))),
        (b"]Q301095011015300033103001250", "]Q3", "gs1", (GTIN, ("3103", "001250"))),
        (b"]J10109501101530003", "]J1", "gs1", (GTIN,)),
        # EAN-13, UPC-A (zero-padded), EAN-8, EAN-13 with add-on, ITF-14
        (b"]E09501101530003", "]E0", "gtin", (GTIN,)),
        (b"]E00614141000036", "]E0", "gtin", (("01", "00614141000036"),)),
        (b"]E495050003", "]E4", "gtin", (("01", "00000095050003"),)),
        (b"]E3950110153000312", "]E3", "gtin", (GTIN,)),
        (b"]I119501101530000", "]I1", "gtin", (("01", "19501101530000"),)),
        # the same without identifiers, believed because length and check digit agree
        (b"9501101530003", "", "gtin", (GTIN,)),
        (b"0109501101530003", "", "gs1", (GTIN,)),
        # GS1 Digital Link
        (
            b"]Q1https://id.gs1.org/01/09501101530003/10/LOT7?17=261231",
            "]Q1",
            "digital_link",
            (GTIN, ("10", "LOT7"), ("17", "261231")),
        ),
        (b"]d1http://example.com/01/09501101530003", "]d1", "digital_link", (GTIN,)),
        (b"]J0https://example.org/a/01/09501101530003", "]J0", "digital_link", (GTIN,)),
        (b"https://id.gs1.org/01/09501101530003", "", "digital_link", (GTIN,)),
        (
            b"]Q1https://example.com/gtin/9501101530003/lot/ABC",
            "]Q1",
            "digital_link",
            (GTIN, ("10", "ABC")),
        ),
        # as printed below the code
        (b"(01)09501101530003(10)LOT7", "", "gs1", (GTIN, ("10", "LOT7"))),
        (b"]C1(01)09501101530003(10)LOT7", "]C1", "gs1", (GTIN, ("10", "LOT7"))),
        # composite
        (b"]E09501101530003|]e01726123110A", "]E0", "gs1", (GTIN, ("17", "261231"), ("10", "A"))),
        # no GS1 at all
        (b"]C0ORDER-77", "]C0", "text", ()),
        (b"]A09501101530003", "]A0", "text", ()),
        (b"]Q1https://example.com/hello", "]Q1", "text", ()),
        ("]Q1货架-3".encode(), "]Q1", "text", ()),
        (b"HELLO", "", "text", ()),
    ],
)
def test_a_sound_code_is_read_as_what_it_is(
    frame: bytes, aim: str, barcode_format: str, elements: tuple[tuple[str, str], ...]
) -> None:
    scan = read_frame(frame, DEFAULT)
    assert (scan.aim, scan.format, scan.elements, scan.quality) == (
        aim,
        barcode_format,
        elements,
        (),
    )
    assert scan.data == frame.decode()[len(aim) :]


@pytest.mark.parametrize(
    ("frame", "barcode_format", "marks"),
    [
        (b"]E09501101530004", "gtin", ("check_digit",)),
        (b"]C10109501101530004", "gs1", ("check_digit",)),
        (b"]C100395011015300010011", "gs1", ("check_digit",)),
        (b"]C14149501101020017", "gs1", ("check_digit",)),
        (b"]C1800309501101530004SER", "gs1", ("check_digit",)),
        # the scanner dropped FNC1: serial glued to lot, expiry glued to lot, count overrun
        (b"]C1010950110153000310LOT721SER9", "gs1", ("ambiguous_gs1",)),
        (b"]C1010950110153000310LOT717261231", "gs1", ("ambiguous_gs1",)),
        (b"]C10209501101530003372410LOT7", "gs1", ("ambiguous_gs1",)),
        (b"]C1010950110153000310" + b"L" * 20 + b"21SER", "gs1", ("ambiguous_gs1",)),
        (b"]C1(01)09501101530003(10)LOT(17)X(21)S", "gs1", ("gs1_error",)),
        (b"(01)09501101530003(10)L(21S", "gs1", ("ambiguous_gs1",)),
        (b"0109501101530004", "gs1", ("check_digit",)),
        (b"95011015300039501101530003", "text", ("gs1_error",)),
        (b"]I11950110153000", "text", ("truncated",)),
        (b"]Q1https://id.gs1.org/DAYIqvoiAxp", "text", ("gs1_error",)),
        # truncated, two codes merged, impossible date, nothing
        (b"]C101095011015300", "gs1", ("gs1_error",)),
        (b"]C101095011015300030109501101530003", "gs1", ("gs1_error",)),
        (b"]C1010950110153000317260231", "gs1", ("gs1_error",)),
        (b"]C1", "gs1", ("gs1_error",)),
        (b"]E0950110153", "text", ("truncated",)),
        (b"]E095011015300039501101530003", "text", ("gs1_error",)),
        (b"]?1", "text", ()),
        (b"]w0ABC", "text", ("unknown_aim",)),
        (b"]C0K\xf6ln", "text", ("bad_encoding",)),
    ],
)
def test_a_doubtful_code_travels_on_marked(
    frame: bytes, barcode_format: str, marks: tuple[str, ...]
) -> None:
    scan = read_frame(frame, DEFAULT)
    assert (scan.format, scan.quality) == (barcode_format, marks)


def test_a_lost_separator_is_never_guessed_back() -> None:
    scan = read_frame(b"]C1010950110153000310LOT721SER9", DEFAULT)
    assert "21" not in dict(scan.elements)


def test_a_scanner_known_to_send_separators_is_not_doubted() -> None:
    kept = BarcodeSettings(gs_kept=True)
    assert read_frame(b"]C1010950110153000310LOT2107", kept).quality == ()


def test_a_code_that_brings_one_separator_has_not_lost_others() -> None:
    assert read_frame(b"]C102095011015300033724\x1d10LOT2107", DEFAULT).quality == ()


@pytest.mark.parametrize("substitute", ["~", "|", "^", "{GS}"])
def test_a_substituted_separator_still_separates(substitute: str) -> None:
    frame = f"]C1010950110153000310LOT7{substitute}21S1".encode()
    scan = read_frame(frame, BarcodeSettings(gs_substitute=substitute))
    assert scan.elements == (GTIN, ("10", "LOT7"), ("21", "S1"))
    assert "\x1d" in scan.data


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"NOREAD", "no_read"),
        (b"?", "no_read"),
        (b"????", "no_read"),
        (b"]C1?", "no_read"),
        (b"<NoRead>", "no_read"),
        (b"]E0NOREAD", "no_read"),
        (b"   ", "empty"),
        (b"A\x00B", "nul_byte"),
    ],
)
def test_what_holds_no_code_is_refused(frame: bytes, reason: str) -> None:
    assert refusal(frame, DEFAULT) == reason


@pytest.mark.parametrize("frame", [b"nR", b"<?", b"NOREAD1", b"(01)09501101530003", b"errors"])
def test_what_may_be_a_code_is_not_taken_for_a_missed_one(frame: bytes) -> None:
    assert refusal(frame, DEFAULT) is None


@pytest.mark.parametrize(
    "frame", [b"]Q1https://example.com/~shop/a", b"]C0A~B", b"https://example.com/~a", b"A~B"]
)
def test_a_substitute_in_a_code_that_is_not_gs1_stays_what_it_is(frame: bytes) -> None:
    scan = read_frame(frame, BarcodeSettings(gs_substitute="~"))
    assert "~" in scan.data


def test_a_substitute_leaves_the_halves_of_a_composite_apart() -> None:
    frame = b"]E09501101530003|]e010LOT|21S1"
    scan = read_frame(frame, BarcodeSettings(gs_substitute="|"))
    assert scan.elements == (GTIN, ("10", "LOT"), ("21", "S1"))


def test_a_code_page_can_be_set_per_scanner() -> None:
    scan = read_frame("]Q1货架".encode("gb18030"), BarcodeSettings(encoding="gb18030"))
    assert (scan.data, scan.quality) == ("货架", ())


@pytest.mark.parametrize(
    "code",
    [
        "]C10109501101530003" + "30",  # a count of no digits
        "]C101" + "\u0661" * 14,  # the digits of another script, check digit and all
        "]C1(01)" + "\u0661" * 14,
        "]Q1https://id.gs1.org/01/" + "\u0661" * 14,
    ],
)
def test_what_is_no_gs1_value_is_never_taken_for_one(code: str) -> None:
    scan = read_frame(code.encode(), DEFAULT)
    assert scan.elements == ()
    assert "gs1_error" in scan.quality
