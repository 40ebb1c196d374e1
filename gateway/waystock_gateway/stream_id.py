"""Names of streams: UUIDs of version 7 (RFC 9562, section 5.7), so that a newer stream sorts behind
an older one. Python brings them from 3.14 on; a package for it would be a tenth of the install.
Used by `outbox`.
"""

import secrets
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


def new_stream_id() -> UUID:
    """48 bits of Unix milliseconds, then 74 random ones around version and variant."""
    unix_ms = time.time_ns() // 1_000_000 & (1 << 48) - 1
    random_a, random_b = secrets.randbits(12), secrets.randbits(62)
    return UUID(int=unix_ms << 80 | _VERSION_7 | random_a << 64 | _VARIANT | random_b)
