"""What speaks on a port is told from its bytes alone, and never guessed. The bytes come from the
simulators, which read the manuals on their own.
"""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_firmware_sim.protocol import chafon, nmea, r200, ssi
from waystock_gateway.proposal import Place, propose
from waystock_gateway.recognition import QUESTIONS, Finding, recognise

EPC = bytes.fromhex("3074257BF7194E4000001A85")
FIX = nmea.Fix(datetime(2026, 11, 27, 8, tzinfo=UTC), 31.2, 121.4, 10.0, 90.0, 5.0, 1.0, 9)
SENTENCES = nmea.sentences(FIX, "GN", ("RMC", "VTG", "GGA"))
INVENTORY = chafon.inventory(0, [EPC])[0]
CODE = ssi.decode_data(ssi.TYPE_EAN_13, "]E09501101530003", retransmission=False)


def _found(*pieces: bytes) -> Finding:
    finding = recognise(pieces)
    assert finding is not None
    return finding


@pytest.mark.parametrize(
    ("decoder", "frame"),
    [
        ("nmea", SENTENCES[0]),
        ("r200", r200.tag_notice(EPC, -54)),
        ("chafon", INVENTORY),
        ("barcode", CODE),
    ],
)
def test_frames_with_right_checksums_say_what_speaks_and_how_sure_that_is(
    decoder: str, frame: bytes
) -> None:
    assert (_found(frame).decoder, _found(frame).sure) == (decoder, "likely")
    assert (_found(frame * 3).decoder, _found(frame * 3).sure) == (decoder, "certain")
    assert (_found(frame[3:] + frame * 3).sure) == "certain"


@pytest.mark.parametrize(
    ("decoder", "answer", "version"),
    [
        ("r200", r200.response(r200.MODULE_INFO, b"\x01V2.3.5"), "V2.3.5"),
        (
            "chafon",
            chafon.answer(0, chafon.READER_INFORMATION, 0, bytes.fromhex("0216090331801e01")),
            "2.22",
        ),
        ("barcode", ssi.answer(ssi.REPLY_REVISION, b"PAACNS00 0100"), "PAACNS00 0100"),
    ],
)
def test_one_answer_to_our_question_is_certain_and_names_the_version(
    decoder: str, answer: bytes, version: str
) -> None:
    finding = _found(answer)
    assert (finding.decoder, finding.sure, finding.version) == (decoder, "certain", version)


def test_ssi_is_proposed_as_such() -> None:
    assert ("framing", "ssi") in _found(CODE, CODE).settings


@pytest.mark.parametrize(
    ("name", "before", "behind"),
    [("crlf", b"", b"\r\n"), ("cr", b"", b"\r"), ("lf", b"", b"\n"), ("tab", b"", b"\t"),
     ("etx", b"\x02", b"\x03"), ("none", b"", b"")],
)  # fmt: skip
def test_codes_with_aim_identifiers_are_certain_and_their_framing_is_told(
    name: str, before: bytes, behind: bytes
) -> None:
    codes = (b"]E09501101530003", b"]C10109501101530003" + b"10LOT7\x1d3012")
    finding = _found(*(before + code + behind for code in codes))
    assert (finding.decoder, finding.sure) == ("barcode", "certain")
    settings = dict(finding.settings)
    assert settings["terminator"] == name
    assert settings["gs_kept"] is True
    assert settings.get("prefix", "") == before.decode()


def test_a_code_without_identifier_is_as_sure_as_its_check_digit() -> None:
    assert _found(b"9501101530003\r\n").sure == "likely"
    assert _found(b"9501101530004\r\n").sure == "unsure"
    assert _found(b"HELLO WORLD\r\n").sure == "unsure"


def test_what_is_neither_frame_nor_text_is_nothing() -> None:
    assert recognise([]) is None
    assert recognise([b"\xb5\x62\x01\x07\x5c\x00" * 20]) is None
    assert recognise([b"ab"]) is None
    assert (
        recognise([question.data for question in QUESTIONS if question.decoder == "r200"]) is None
    )


@given(st.integers(0, 2**32), st.integers(1, 6_000))
def test_noise_is_never_called_certain(seed: int, length: int) -> None:
    finding = recognise([Random(seed).randbytes(length)])
    assert finding is None or finding.sure != "certain"


def test_a_good_frame_in_much_noise_is_not_believed() -> None:
    noise = Random(5).randbytes(4_000)
    assert recognise([noise + INVENTORY + noise]) is None


def test_proposals_are_settings_that_a_gateway_takes_and_their_names_differ() -> None:
    taken = {"scan-1"}
    text = "".join(
        propose(_found(*pieces), Place("/dev/serial/by-id/x", 9_600), taken)
        for pieces in ([CODE, CODE], SENTENCES, [INVENTORY], [b"\x02]E09501101530003\x03"] * 2)
    )
    names = [line for line in text.splitlines() if line.startswith("device")]
    assert names == [
        'device = "scan-2"', 'device = "gps-1"', 'device = "rfid-1"', 'device = "scan-3"'
    ]  # fmt: skip
    assert 'prefix = "\\u0002"' in text
