"""SSCC-96 tags: the EPC bits of a pallet. Upstream: the SSCC of a label; downstream: R200 notices.
Source: GS1 EPC Tag Data Standard 2.1, section 14.6.2 and table 14-5.
"""

SSCC_96_HEADER = 0x31
FILTER_UNIT_LOAD = 6
_PARTITIONS = {
    12: (0, 40),
    11: (1, 37),
    10: (2, 34),
    9: (3, 30),
    8: (4, 27),
    7: (5, 24),
    6: (6, 20),
}
"""Digits of the company prefix → (partition value, bits of the prefix); 58 bits with the serial."""


def sscc_96(sscc: str, prefix_digits: int, filter_value: int = FILTER_UNIT_LOAD) -> bytes:
    """The twelve bytes of the tag; the serial reference starts with the extension digit."""
    partition, prefix_bits = _PARTITIONS[prefix_digits]
    prefix = int(sscc[1 : 1 + prefix_digits])
    serial = int(sscc[0] + sscc[1 + prefix_digits : 17])
    bits = SSCC_96_HEADER
    bits = bits << 3 | filter_value
    bits = bits << 3 | partition
    bits = bits << prefix_bits | prefix
    bits = bits << (58 - prefix_bits) | serial
    return (bits << 24).to_bytes(12, "big")
