"""The GS1 character set 82 (ISO/IEC 646 subset, General Specifications figure 7.11-1) and how its
characters are written inside an EPC URI (Tag Data Standard, table A-1).
"""

ENCODABLE = frozenset(
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)
_ESCAPED = frozenset('"%&/<>?')


def escape_uri(text: str) -> str:
    """`text` as a URI component of an EPC: `/` becomes `%2F`."""
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in text)
