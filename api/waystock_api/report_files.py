"""Files of reports on their way out: made in a temporary file, few at a time, then handed over in
blocks. A slow client so holds a file, and no connection to the database.
"""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from fastapi import HTTPException

from waystock_api.services import REPORTS_AT_ONCE, Services

KEPT_IN_MEMORY_BYTES = 8 << 20
BLOCK_BYTES = 256 << 10
WAIT_FOR_SLOT_S = 5.0
RETRY_AFTER_S = 15


def new_file() -> BinaryIO:
    """An empty one without a name; beyond KEPT_IN_MEMORY_BYTES it is on disk."""
    file = tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY_BYTES)  # noqa: SIM115 - closed by the answer
    return cast(BinaryIO, file)


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """All of it from its beginning."""
    file.seek(0)
    while block := file.read(BLOCK_BYTES):
        yield block


@contextmanager
def report_slot(services: Services) -> Generator[None]:
    """Room to go through a whole report; HTTPException 503 where too many are being made."""
    if not services.report_slots.acquire(timeout=WAIT_FOR_SLOT_S):
        raise HTTPException(
            503,
            f"{REPORTS_AT_ONCE} reports are being made now. Try again in a minute.",
            {"Retry-After": str(RETRY_AFTER_S)},
        )
    try:
        yield
    finally:
        services.report_slots.release()
