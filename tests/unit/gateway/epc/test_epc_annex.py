"""Every example of GS1 EPC Tag Data Standard 2.3, annex E.3, of a scheme that is read: the bank,
its tag URI and its Digital Link, read and written. Banks as printed, filled up to whole words. The
"++" examples carry a host name of their own and stay raw.
"""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waystock_gateway.epc.decode import decode_epc
from waystock_gateway.epc.encode import encode_elements, encode_tag_uri
from waystock_gateway.epc.plus import PLUS_SCHEMES
from waystock_gateway.epc.schemes import SCHEMES


class Example(NamedTuple):
    epc: str
    uri: str
    """Behind `urn:epc:tag:`; of a "+" scheme, which has none, its name."""
    link: str | None = None
    """Behind `https://id.gs1.org/`."""


EXAMPLES = [
    Example(
        "3066C4409047E140075BCD15",
        "sgtin-96:3.95060001343.05.123456789",
        "01/09506000134352/21/123456789",
    ),
    Example(
        "3666C4409047E159B2C2BF100000000000000000000000000000",
        "sgtin-198:3.95060001343.05.32a%2Fb",
        "01/09506000134352/21/32a%2Fb",
    ),
    Example("311BA1B300CE0A6A83000000", "sscc-96:0.952012.03456789123", "00/095201234567891235"),
    Example(
        "3276451FD46072000000162E", "sgln-96:3.9521141.12345.5678", "414/9521141123454/254/5678"
    ),
    Example(
        "3976451FD46072CD9615F8800000000000000000000000000000",
        "sgln-195:3.9521141.12345.32a%2Fb",
        "414/9521141123454/254/32a%2Fb",
    ),
    Example("3376451FD40C0E400000162E", "grai-96:3.9521141.12345.5678", "8003/095211411234545678"),
    Example(
        "3776451FD40C0E59B2C2BF1000000000000000000000",
        "grai-170:3.9521141.12345.32a%2Fb",
        "8003/0952114112345432a%2Fb",
    ),
    Example("3476451FD40000000000162E", "giai-96:3.9521141.5678", "8004/95211415678"),
    Example(
        "3876451FD59B2C2BF10000000000000000000000000000000000",
        "giai-202:3.9521141.32a%2Fb",
        "8004/952114132a%2Fb",
    ),
    Example("2D76451FD4499602D2000000", "gsrn-96:3.9521141.1234567890", "8018/952114112345678906"),
    Example("2E76451FD4499602D2000000", "gsrnp-96:3.9521141.1234567890", "8017/952114112345678906"),
    Example("2C76451FD46072000000162E", "gdti-96:3.9521141.12345.5678", "253/95211411234545678"),
    Example(
        "3E76451FD7039B061438997367D0C18B266D1AB66EE0",
        "gdti-174:3.9521141.98765.ABCDefgh012345678",
        "253/9521141987650ABCDefgh012345678",
    ),
    Example(
        "3C76451FD400C0E680003039", "cpi-96:3.9521141.98765.12345", "8010/952114198765/8011/12345"
    ),
    Example(
        "3D76451FD75411DEF6B4CC00000003039000",
        "cpi-var:3.9521141.5PQ7%2FZ43.12345",
        "8010/95211415PQ7%2FZ43/8011/12345",
    ),
    Example("3F76451FD612640000019907", "sgcn-96:3.9521141.67890.04711", "255/952114167890904711"),
    Example(
        "4076451FD40C0E40820000000F54",
        "itip-110:3.9521141.012345.01.02.981",
        "8006/095211411234540102/21/981",
    ),
    Example(
        "4176451FD40C0E4082DBDD8B36600000000000000000000000000000",
        "itip-212:3.9521141.012345.01.02.mw133",
        "8006/095211411234540102/21/mw133",
    ),
    Example("3500E86F8000A9E000000586", "gid-96:952056.2718.1414"),
    Example("2F320434147455900000162E", "usdod-96:3.CAGEY.5678"),
    Example("3B0E0CF5E76C9047759AD00373DC7602E7200000", "adi-var:3.35962.PQ7VZ4.M37GXB92"),
    Example("F73795211411234538566CB0AFC4", "sgtin+", "01/79521141123453/21/32a%2Fb"),
    Example(
        "FB342CDE795211411234538566CB0AFC4000", "dsgtin+", "01/79521141123453/21/32a%2Fb?17=220630"
    ),
    Example("F90095201234567891235000", "sscc+", "00/095201234567891235"),
    Example("F2395211411234548566CB0AFC40", "sgln+", "414/9521141123454/254/32a%2Fb"),
    Example("F13095211411234548566CB0AFC4", "grai+", "8003/0952114112345432a%2Fb"),
    Example("FA3952114132E83C2BF10000", "giai+", "8004/952114132a%2Fb"),
    Example("F43952114112345678906000", "gsrn+", "8018/952114112345678906"),
    Example("F53952114112345678906000", "gsrnp+", "8017/952114112345678906"),
    Example("F6395211411234540458B800", "gdti+", "253/95211411234545678"),
    Example("F0395211415E87A145BAFB4D19A8C0E4", "cpi+", "8010/95211415PQ7%2FZ43/8011/12345"),
    Example("F83952114167890950933800", "sgcn+", "255/952114167890904711"),
    Example("F3309521141123454010266AE27FDF35", "itip+", "8006/095211411234540102/21/rif981"),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.uri)
def test_each_example_of_the_standard_is_read_and_written(example: Example) -> None:
    decoded = decode_epc(example.epc)
    link = example.link and f"https://id.gs1.org/{example.link}"
    assert decoded.digital_link == link
    if example.uri.endswith("+"):
        assert decoded.scheme == example.uri
        assert decoded.filter is not None
        assert encode_elements(example.uri, decoded.filter, decoded.elements) == example.epc
    else:
        assert decoded.tag_uri == f"urn:epc:tag:{example.uri}"
        assert encode_tag_uri(decoded.tag_uri) == example.epc


def test_no_scheme_is_without_an_example() -> None:
    """But GDTI-113, which the annex no longer shows."""
    shown = {example.uri.partition(":")[0] for example in EXAMPLES}
    schemes = [*SCHEMES.values(), *PLUS_SCHEMES.values()]
    assert {scheme.name for scheme in schemes} - shown == {"gdti-113"}


@pytest.mark.parametrize(
    "epc",
    [
        "FD3795211411234538566CB0AFC525065F1876F0D996D800",
        "EF009520123456789123592832F8C3B786CCB6C0",
        "ED309521141123454010266AE27FDF3592832F8C3B786CCB6C00",
    ],
)
def test_a_tag_with_a_host_name_of_its_own_stays_raw(epc: str) -> None:
    assert decode_epc(epc).scheme == "raw"


classic = [example.epc for example in EXAMPLES if not example.uri.endswith("+")]


@settings(max_examples=400)
@given(st.sampled_from(classic), st.lists(st.integers(8, 207), min_size=1, max_size=6))
def test_two_different_tags_never_become_one_identity(epc: str, flips: list[int]) -> None:
    """A bank with bits turned over either is what its identity is written as, or is raw: a value
    out of range, a padding that isn't empty or a character that may not be is no other tag."""
    bits = len(epc) * 4
    turned = int(epc, 16)
    for flip in flips:
        turned ^= 1 << (bits - 1 - flip % bits)
    bank = f"{turned:0{len(epc)}X}"
    decoded = decode_epc(bank)
    assert decoded.scheme == "raw" or encode_tag_uri(decoded.tag_uri) == bank
