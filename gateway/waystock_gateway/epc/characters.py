"""The character sets of EPCs (GS1 General Specifications figures 7.11-1 and 7.11-2) and how their
characters are written inside an EPC URI (Tag Data Standard, table A-1).
"""

import re

from waystock_gateway.epc.bits import MalformedError

ENCODABLE = frozenset(
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)
"""Character set 82."""
COMPONENT = frozenset("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""Character set 39, of component/part identifiers and aerospace parts."""
_ESCAPED = frozenset('"#%&/<>?')
_ESCAPE = re.compile("%([0-9A-F]{2})")


def escape_uri(text: str) -> str:
    """`text` as a URI component of an EPC: `/` becomes `%2F`."""
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in text)


def unescape_uri(component: str) -> str:
    """The inverse of `escape_uri`, which accepts nothing that it wouldn't have written."""
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), component)
    if escape_uri(text) != component:
        raise MalformedError(f"{component!r} is not escaped as the standard says")
    return text
