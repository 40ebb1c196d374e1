"""Numbers of documents and pallets. They hold the minute the world begins, so that a later world
can be imported beside an earlier one without a clash. Upstream: the start; downstream: orders and
shipments.
"""

from datetime import UTC, datetime

from waystock_firmware_sim.protocol import gs1
from waystock_firmware_sim.world.catalogue import COMPANY_PREFIX

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PALLETS_PER_WORLD_MAX = 2_000
_WORLDS = 10**9 // PALLETS_PER_WORLD_MAX

INBOUND, OUTBOUND = 3, 4
"""SSCC extension digits."""


def document(kind: str, start: datetime, number: int) -> str:
    """Such as PO2611230915-003."""
    return f"{kind}{start.astimezone(UTC):%y%m%d%H%M}-{number:03d}"


class PalletNumbers:
    """SSCCs of one world and direction, handed out in order."""

    def __init__(
        self, extension: int, start: datetime, company_prefix: str = COMPANY_PREFIX
    ) -> None:
        self._extension = extension
        self._prefix = company_prefix
        minute = int((start - _EPOCH).total_seconds() // 60)
        self._first = minute % _WORLDS * PALLETS_PER_WORLD_MAX
        self._used = 0

    def take(self) -> str:
        """The next SSCC; OverflowError when the world has used its share."""
        if self._used == PALLETS_PER_WORLD_MAX:
            raise OverflowError(f"more than {PALLETS_PER_WORLD_MAX} pallets in one world")
        self._used += 1
        return gs1.sscc(self._extension, self._prefix, self._first + self._used - 1)
