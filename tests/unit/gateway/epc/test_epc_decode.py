"""EPC binary decoding against the Tag Data Standard's own examples, an encoder written here, and
epcpy where that is right (it loses the filter value, and reads only the classic schemes).
"""

from typing import NamedTuple

import pytest
from epcpy.utils.parsers import hex_to_tag_encodable
from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.check_digit import check_digit
from waystock_gateway.epc.decode import decode_epc

COMPANY_BITS = (40, 37, 34, 30, 27, 24, 20)


class Example(NamedTuple):
    epc: str
    tag_uri: str
    digital_link: str


# GS1 EPC Tag Data Standard, annex E.3 ("summary of examples of EPC formats"), and section 14.
EXAMPLES = [
    Example(
        "3074257BF7194E4000001A85",
        "urn:epc:tag:sgtin-96:3.0614141.812345.6789",
        "https://id.gs1.org/01/80614141123458/21/6789",
    ),
    Example(
        "3674257BF6B7A659B2C2BF100000000000000000000000000000",
        "urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb",
        "https://id.gs1.org/01/70614141123451/21/32a%2Fb",
    ),
    Example(
        "3174257BF4499602D2000000",
        "urn:epc:tag:sscc-96:3.0614141.1234567890",
        "https://id.gs1.org/00/106141412345678908",
    ),
    Example(
        "3274257BF46072000000162E",
        "urn:epc:tag:sgln-96:3.0614141.12345.5678",
        "https://id.gs1.org/414/0614141123452/254/5678",
    ),
    Example(
        "3974257BF46072CD9615F8800000000000000000000000000000",
        "urn:epc:tag:sgln-195:3.0614141.12345.32a%2Fb",
        "https://id.gs1.org/414/0614141123452/254/32a%2Fb",
    ),
    Example(
        "3374257BF40C0E400000162E",
        "urn:epc:tag:grai-96:3.0614141.12345.5678",
        "https://id.gs1.org/8003/006141411234525678",
    ),
    Example(
        "3774257BF40C0E59B2C2BF1000000000000000000000",
        "urn:epc:tag:grai-170:3.0614141.12345.32a%2Fb",
        "https://id.gs1.org/8003/0061414112345232a%2Fb",
    ),
    Example(
        "3474257BF40000000000162E",
        "urn:epc:tag:giai-96:3.0614141.5678",
        "https://id.gs1.org/8004/06141415678",
    ),
    Example(
        "3874257BF59B2C2BF10000000000000000000000000000000000",
        "urn:epc:tag:giai-202:3.0614141.32a%2Fb",
        "https://id.gs1.org/8004/061414132a%2Fb",
    ),
    Example(
        "2D74257BF4499602D2000000",
        "urn:epc:tag:gsrn-96:3.0614141.1234567890",
        "https://id.gs1.org/8018/061414112345678902",
    ),
    Example(
        "2C74257BF46072000000162E",
        "urn:epc:tag:gdti-96:3.0614141.12345.5678",
        "https://id.gs1.org/253/06141411234525678",
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.tag_uri)
def test_the_standard_s_own_examples_are_read(example: Example) -> None:
    decoded = decode_epc(example.epc)
    assert decoded.tag_uri == example.tag_uri
    assert decoded.digital_link == example.digital_link
    assert decoded.filter == 3
    urn, _, rest = example.tag_uri.removeprefix("urn:epc:tag:").partition(":")
    assert decoded.epc_uri == f"urn:epc:id:{urn.split('-')[0]}:{rest.partition('.')[2]}"


class Company(NamedTuple):
    partition: int
    prefix: str


companies = st.integers(0, 6).flatmap(
    lambda p: st.builds(
        Company, st.just(p), st.integers(0, 10 ** (12 - p) - 1).map(lambda n: str(n).zfill(12 - p))
    )
)


def encode(header: int, filter_value: int, company: Company, *fields: tuple[int, int]) -> str:
    """Bits in a row: header, filter, partition, company, then (value, width) pairs; whole words."""
    pairs = [(header, 8), (filter_value, 3), (company.partition, 3)]
    pairs += [(int(company.prefix), COMPANY_BITS[company.partition]), *fields]
    bits = "".join(format(value, f"0{width}b") for value, width in pairs if width)
    bits = bits.ljust(-(-len(bits) // 16) * 16, "0")
    return format(int(bits, 2), f"0{len(bits) // 4}X")


@given(companies, st.integers(0, 7), st.data())
def test_an_sgtin_comes_back_as_it_was_written(
    company: Company, filter_value: int, data: st.DataObject
) -> None:
    digits = company.partition + 1
    item = data.draw(st.integers(0, 10**digits - 1))
    serial = data.draw(st.integers(0, 2**38 - 1))
    width = 44 - COMPANY_BITS[company.partition]
    decoded = decode_epc(encode(0x30, filter_value, company, (item, width), (serial, 38)))
    reference = str(item).zfill(digits)
    body = reference[0] + company.prefix + reference[1:]
    assert decoded.elements == (("01", body + check_digit(body)), ("21", str(serial)))
    assert decoded.tag_uri == f"urn:epc:tag:sgtin-96:{filter_value}." + ".".join(
        (company.prefix, reference, str(serial))
    )


@given(companies, st.data())
def test_an_sscc_comes_back_as_it_was_written(company: Company, data: st.DataObject) -> None:
    digits = company.partition + 5
    reference = data.draw(st.integers(0, 10**digits - 1))
    width = 58 - COMPANY_BITS[company.partition]
    decoded = decode_epc(encode(0x31, 2, company, (reference, width), (0, 24)))
    text = str(reference).zfill(digits)
    body = text[0] + company.prefix + text[1:]
    assert decoded.elements == (("00", body + check_digit(body)),)


@given(companies, st.integers(0, 2**41 - 1), st.data())
def test_a_location_without_extension_has_none(
    company: Company, extension: int, data: st.DataObject
) -> None:
    location = data.draw(st.integers(0, 10**company.partition - 1))
    width = 41 - COMPANY_BITS[company.partition]
    decoded = decode_epc(encode(0x32, 0, company, (location, width), (extension, 41)))
    assert ("254" in dict(decoded.elements)) == (extension != 0)


@given(companies, st.integers(0, 7), st.data())
def test_epcpy_agrees_on_classic_schemes(
    company: Company, filter_value: int, data: st.DataObject
) -> None:
    """Its own reading of the same bits, filter aside."""
    header, total_bits, tail = data.draw(
        st.sampled_from([(0x30, 44, 38), (0x31, 58, 24), (0x32, 41, 41), (0x33, 44, 38)])
    )
    digits = {0x30: 1, 0x31: 5, 0x32: 0, 0x33: 0}[header] + company.partition
    reference = data.draw(st.integers(0, 10**digits - 1))
    serial = 0 if header == 0x31 else data.draw(st.integers(1, 2**tail - 1))
    width = total_bits - COMPANY_BITS[company.partition]
    epc = encode(header, filter_value, company, (reference, width), (serial, tail))
    assert decode_epc(epc).epc_uri == hex_to_tag_encodable(epc).epc_uri


@pytest.mark.parametrize(
    "epc",
    [
        "E2801160600002054D5B1234",  # a TID-like number, no GS1 header
        "301C00000000000000000001",  # partition 7
        encode(0x30, 1, Company(6, "999999"), (2**24 - 1, 24), (1, 38)),  # item beyond 7 digits
        encode(0x30, 1, Company(0, "0" * 12), (15, 4), (1, 38)),  # item beyond 1 digit
        format((0x30 << 88) | (((1 << 40) - 1) << 42), "024X"),  # company beyond 12 digits
        encode(0x31, 1, Company(5, "0614141"), (1, 34), (1, 24)),  # reserved bits set
        "3074257BF7194E4000001A850000",  # longer than 96 bits
        "3074257BF7194E400000",  # shorter
        "3674257BF6B7A659B2C2BF100000000000000000000000000001",  # padding set
        "3674257BF6B7A6000000000000000000000000000000000000" + "00",  # no serial at all
    ],
)
def test_what_only_looks_like_a_gs1_tag_stays_raw(epc: str) -> None:
    decoded = decode_epc(epc)
    assert (decoded.scheme, decoded.epc_uri, decoded.elements) == ("raw", None, ())
    assert decoded.tag_uri == f"urn:epc:raw:{len(epc) * 4}.x{epc}"


@given(st.binary(min_size=2, max_size=62).filter(lambda bank: len(bank) % 2 == 0))
def test_no_tag_ever_stops_a_portal(bank: bytes) -> None:
    decode_epc(bank.hex().upper())
