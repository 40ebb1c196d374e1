"""Names of tags: whoever asks where a pallet was may call it what their papers call it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_api.epc_names import EpcName, read_epc_name

SGTIN = "https://id.gs1.org/01/80614141123458/21/6789"
SSCC = "https://id.gs1.org/00/106141412345678908"


@pytest.mark.parametrize(
    ("name", "link"),
    [
        # GS1 EPC Tag Data Standard, annex E.3.
        ("urn:epc:id:sgtin:0614141.812345.6789", SGTIN),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.6789", SGTIN),
        ("URN:EPC:TAG:SGTIN-198:3.0614141.712345.32a%2Fb",
         "https://id.gs1.org/01/70614141123451/21/32a%2Fb"),
        ("urn:epc:id:sscc:0614141.1234567890", SSCC),
        ("urn:epc:tag:sscc-96:3.0614141.1234567890", SSCC),
        ("106141412345678908", SSCC),
        (" https://id.gs1.org/00/106141412345678908 ", SSCC),
        ("https://shop.example/p/01/80614141123458/10/LOT/21/6789?17=270101#x", SGTIN),
        ("https://id.gs1.org/01/614141123452/21/a%2Fb",
         "https://id.gs1.org/01/00614141123452/21/a%2Fb"),
        ("https://id.gs1.org/414/0614141123452/254/5678",
         "https://id.gs1.org/414/0614141123452/254/5678"),
        ("https://id.gs1.org/8003/006141411234525678",
         "https://id.gs1.org/8003/006141411234525678"),
    ],
)  # fmt: skip
def test_one_pallet_has_one_name_whatever_it_is_called(name: str, link: str) -> None:
    assert read_epc_name(name) == EpcName(digital_link=link)


@pytest.mark.parametrize(
    ("name", "epc"),
    [
        ("3074257bf7194e4000001a85", "3074257BF7194E4000001A85"),
        ("urn:epc:raw:96.x3074257BF7194E4000001A85", "3074257BF7194E4000001A85"),
        ("300833B2DDD9014000000000", "300833B2DDD9014000000000"),
    ],
)
def test_hex_names_that_one_tag(name: str, epc: str) -> None:
    assert read_epc_name(name) == EpcName(hex=epc)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("pallet 7", "Digital Link"),
        ("307", "hex"),
        ("106141412345678907", "check digit"),
        ("urn:epc:id:sgtin:0614141.81234.6789", "13 digits"),
        ("urn:epc:id:sscc:06141a1.1234567890", "17 digits"),
        ("urn:epc:id:grai:0614141.12345.5678", "hex or Digital Link"),
        ("urn:epc:", "urn:epc"),
        ("urn:epc:raw:96.xyz", "hex"),
        ("https://id.gs1.org/01/80614141123458", "serial"),
        ("https://id.gs1.org/01/80614141123459/21/1", "check digit"),
        ("https://example.com/pallets/7", "GS1 key"),
        ("https://[broken/00/x", "GS1 key"),
    ],
)
def test_a_name_that_names_no_tag_is_refused_with_what_would(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_epc_name(name)


@given(st.text() | st.from_regex(r"(urn:epc:(id|tag|raw):[a-z0-9:.%-]*|https?://\S*/0[01]/\S*)"))
def test_no_name_brings_the_question_down(name: str) -> None:
    try:
        found = read_epc_name(name)
    except ValueError:
        return
    assert (found.hex is None) != (found.digital_link is None)
