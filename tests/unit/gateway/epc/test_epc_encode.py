"""EPC banks written and read again, for every scheme; the standard's own examples of the schemes
that came with TDS 1.6 to 2.x; epcpy as a second opinion on the bits.
"""

from datetime import date

import pytest
from epcpy.utils.parsers import hex_to_tag_encodable
from hypothesis import given, settings
from hypothesis import strategies as st

from waystock_gateway.check_digit import check_digit
from waystock_gateway.epc.bits import MalformedError
from waystock_gateway.epc.characters import ENCODABLE, escape_uri
from waystock_gateway.epc.decode import decode_epc
from waystock_gateway.epc.encode import encode_elements, encode_tag_uri
from waystock_gateway.epc.plus import PLUS_SCHEMES, PlusScheme
from waystock_gateway.epc.schemes import SCHEMES, Scheme

# GS1 EPC Tag Data Standard, annex E.3, where it has the scheme; adi, gid and usdod by epcpy.
CLASSIC = {
    "2E74257BF4499602D2000000": "gsrnp-96:3.0614141.1234567890",
    "3A74257BF460720000000007AE7F8000": "gdti-113:3.0614141.12345.006847",
    "3C74257BF400C0E680003039": "cpi-96:3.0614141.98765.12345",
    "3D74257BF75411DEF6B4CC00000003039000": "cpi-var:3.0614141.5PQ7%2FZ43.12345",
    "3F74F4E4E612640000019907": "sgcn-96:3.4012345.67890.04711",
    "4074F4E4E40C0E40820000000F54": "itip-110:3.4012345.012345.01.02.981",
    "4174F4E4E40C0E4082DBDD8B36600000000000000000000000000000": (
        "itip-212:3.4012345.012345.01.02.mw133"
    ),
    "355AB1C60003039000000190": "gid-96:95100000.12345.400",
    "2F3204341474535000BC614E": "usdod-96:3.CAGE5.12345678",
    "3B8D7E316390F32CCE78D106310325CD075C8000": "adi-var:35.W81X9C.3KL984PX1.2WMA52",
}

# GS1 EPC Tag Data Standard 2.3, annex E.3, filled up to whole words.
PLUS = {
    "F73795211411234538566CB0AFC4": "01/79521141123453/21/32a%2Fb",
    "FB342CDE795211411234538566CB0AFC4000": "01/79521141123453/21/32a%2Fb?17=220630",
    "F90095201234567891235000": "00/095201234567891235",
    "F2395211411234548566CB0AFC40": "414/9521141123454/254/32a%2Fb",
    "F13095211411234548566CB0AFC4": "8003/0952114112345432a%2Fb",
    "F43952114112345678906000": "8018/952114112345678906",
    "F53952114112345678906000": "8017/952114112345678906",
    "F6395211411234540458B800": "253/95211411234545678",
    "F0395211415E87A145BAFB4D19A8C0E4": "8010/95211415PQ7%2FZ43/8011/12345",
    "F83952114167890950933800": "255/952114167890904711",
    "F3309521141123454010266AE27FDF35": "8006/095211411234540102/21/rif981",
}


@pytest.mark.parametrize(("epc", "uri"), CLASSIC.items(), ids=CLASSIC.values())
def test_the_standard_s_further_examples_are_read_and_written(epc: str, uri: str) -> None:
    decoded = decode_epc(epc)
    assert decoded.tag_uri == f"urn:epc:tag:{uri}"
    assert encode_tag_uri(decoded.tag_uri) == epc


@pytest.mark.parametrize(("epc", "path"), PLUS.items(), ids=PLUS.values())
def test_the_standard_s_plus_examples_are_read_and_written(epc: str, path: str) -> None:
    decoded = decode_epc(epc)
    assert decoded.digital_link == f"https://id.gs1.org/{path}"
    assert decoded.filter is not None
    assert encode_elements(decoded.scheme, decoded.filter, decoded.elements) == epc


texts = st.text(sorted(ENCODABLE), min_size=1, max_size=20)
components = st.text("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=18)
unmarked = st.text("-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=18)
companies = st.integers(6, 12).flatmap(lambda count: digits(count))  # noqa: PLW0108 - defined below


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def numbers(bits: int) -> st.SearchStrategy[str]:
    return st.integers(0, 2**bits - 1).map(str)


def cages() -> st.SearchStrategy[str]:
    return st.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=5, max_size=6)


def filled(total: int, *rest: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Company prefix, reference (`total` digits with it) and what follows."""
    return companies.flatmap(
        lambda company: st.tuples(st.just(company), digits(total - len(company)), *rest).map(list)
    )


PIECES = (digits(2), digits(2))
PARTS: dict[str, st.SearchStrategy[list[str]]] = {
    "gdti-96": filled(12, numbers(41)),
    "gsrn-96": filled(17),
    "gsrnp-96": filled(17),
    "usdod-96": st.tuples(cages(), numbers(36)).map(list),
    "sgtin-96": filled(13, numbers(38)),
    "sscc-96": filled(17),
    "sgln-96": filled(12, numbers(41)),
    "grai-96": filled(12, numbers(38)),
    "giai-96": st.tuples(companies, numbers(42)).map(list),
    "gid-96": st.tuples(numbers(28), numbers(24), numbers(36)).map(list),
    "sgtin-198": filled(13, texts),
    "grai-170": filled(12, texts.filter(lambda text: len(text) <= 16)),
    "giai-202": st.tuples(companies, texts.filter(lambda text: len(text) <= 18)).map(list),
    "sgln-195": filled(12, texts),
    "gdti-113": filled(12, st.text("0123456789", min_size=1, max_size=17)),
    "adi-var": st.tuples(cages(), unmarked, unmarked.map(lambda text: f"#{text}")).map(list),
    "cpi-96": companies.flatmap(
        lambda company: st.tuples(
            st.just(company),
            st.integers(0, min(10 ** (15 - len(company)), 2**11) - 1).map(str),
            numbers(31),
        ).map(list)
    ),
    "cpi-var": st.tuples(companies, components, st.integers(0, 10**12 - 1).map(str)).map(list),
    "gdti-174": filled(12, texts.filter(lambda text: len(text) <= 17)),
    "sgcn-96": filled(12, st.text("0123456789", min_size=1, max_size=12)),
    "itip-110": filled(13, *PIECES, numbers(38)),
    "itip-212": filled(13, *PIECES, texts),
}
FILTER_MAX = {"usdod-96": 15, "adi-var": 63}
READ_BY_EPCPY = {name for name in PARTS if name.endswith(("-96", "-110"))} | {"cpi-var"}
"""It refuses many texts that the standard allows, and has no gdti-113."""
EPCPY_CHARS_MAX = 30
"""Of company prefix and component: it counts `%2F` as three characters, where the tag has one."""


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
@settings(max_examples=25)
@given(data=st.data())
def test_a_classic_tag_comes_back_as_it_was_written(scheme: Scheme, data: st.DataObject) -> None:
    name = scheme.name
    parts = data.draw(PARTS[name])
    filter_value = data.draw(st.integers(0, FILTER_MAX.get(name, 7)))
    filtered = [] if name == "gid-96" else [str(filter_value)]
    uri = f"urn:epc:tag:{name}:" + ".".join([*filtered, *map(escape_uri, parts)])
    epc = encode_tag_uri(uri)
    assert decode_epc(epc).tag_uri == uri
    if name in READ_BY_EPCPY and len("".join(map(escape_uri, parts[:2]))) <= EPCPY_CHARS_MAX:
        assert hex_to_tag_encodable(epc).epc_uri == decode_epc(epc).epc_uri


def checked(count: int) -> st.SearchStrategy[str]:
    return digits(count - 1).map(lambda text: text + check_digit(text))


def joined(*pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*pieces).map("".join)


pieces = st.text("0123456789", min_size=1, max_size=12)
VALUES: dict[str, st.SearchStrategy[str]] = {
    "00": checked(18),
    "01": checked(14),
    "21": texts,
    "17": st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(lambda day: day.strftime("%y%m%d")),
    "253": joined(checked(13), texts.filter(lambda text: len(text) <= 17)),
    "254": texts.filter(lambda text: text != "0"),
    "255": joined(checked(13), pieces),
    "414": checked(13),
    "8003": joined(
        digits(12).map(lambda text: "0" + text + check_digit("0" + text)),
        texts.filter(lambda text: len(text) <= 16),
    ),
    "8004": joined(companies, texts.filter(lambda text: len(text) <= 18)),
    "8006": joined(checked(14), digits(4)),
    "8010": joined(companies, components),
    "8011": pieces,
    "8017": checked(18),
    "8018": checked(18),
}


@pytest.mark.parametrize("scheme", PLUS_SCHEMES.values(), ids=lambda scheme: scheme.name)
@settings(max_examples=25)
@given(data=st.data())
def test_a_plus_tag_comes_back_as_it_was_written(scheme: PlusScheme, data: st.DataObject) -> None:
    name = scheme.name
    ais = (*scheme.ais, *(["17"] if scheme.dated else []))
    elements = tuple((ai, data.draw(VALUES[ai])) for ai in ais)
    filter_value = data.draw(st.integers(0, 7))
    decoded = decode_epc(encode_elements(name, filter_value, elements))
    assert (decoded.scheme, decoded.elements, decoded.filter) == (name, elements, filter_value)


def test_a_lot_behind_a_plus_tag_is_read_and_what_is_not_understood_costs_no_identity() -> None:
    plain = encode_elements("sscc+", 3, (("00", "095201234567891235"),))
    more = plain[:2] + "B" + plain[3:21]  # the bit for more data set, filter 3
    bits = format(0b000_00010_0001100 << 1, "04X")
    lot = decode_epc((more + "10" + bits).ljust(28, "0"))
    assert lot.elements == (("00", "095201234567891235"), ("10", "12"))
    assert lot.digital_link == "https://id.gs1.org/00/095201234567891235?10=12"
    unknown = decode_epc((more + "3103" + "000123").ljust(32, "0"))
    assert unknown.elements == (("00", "095201234567891235"),)


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:tag:sgtin-96:8.0614141.812345.6789",  # filter beyond three bits
        "urn:epc:tag:sgtin-96:3.0614141.812345.274877906944",  # serial beyond 38 bits
        "urn:epc:tag:sgtin-96:3.0614141.812345.06789",  # leading zero
        "urn:epc:tag:sgtin-96:3.0614141.8123456.6789",  # a digit too many
        "urn:epc:tag:sgtin-96:3.06141.812345.6789",  # company prefix too short
        "urn:epc:tag:sgtin-198:3.0614141.712345.32a/b",  # not escaped
        "urn:epc:tag:sgtin-198:3.0614141.712345.123456789012345678901",  # 21 characters
        "urn:epc:tag:sgtin-99:3.0614141.812345.6789",  # no such scheme
        "urn:epc:tag:sgtin-96:3.0614141.812345",  # no serial
        "urn:epc:id:sgtin:0614141.812345.6789",  # no tag URI
    ],
)
def test_what_does_not_fit_on_a_tag_is_refused(uri: str) -> None:
    with pytest.raises(MalformedError):
        encode_tag_uri(uri)


@pytest.mark.parametrize(
    "epc",
    [
        "F90095201234567891234000",  # check digit of the SSCC
        "F9009520123456789123A000",  # no digit
        "F90095201234567891235001",  # padding set
        "F737952114112345385",  # cut off, filled up below
        "F737952114112345320",  # length 0
        "F7379521141123453E5",  # reserved encoding indicator
        "FB378CDE795211411234538566CB0AFC4000",  # reserved date type
        "FB342CDF795211411234538566CB0AFC4000",  # 31 June
        "FD3795211411234538566CB0AFC525065F1876F0D996D800",  # SGTIN++, not supported
    ],
)
def test_what_only_looks_like_a_plus_tag_stays_raw(epc: str) -> None:
    epc = epc.ljust(-(-len(epc) // 4) * 4, "0")
    assert decode_epc(epc).scheme == "raw"
