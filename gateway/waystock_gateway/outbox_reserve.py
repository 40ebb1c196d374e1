"""Room on the disk that is kept for forgetting. Deleting from SQLite needs some room too: on a disk
that is full to the last byte nothing could be deleted, and the gateway would never take a reading
again. So a file of zeros holds some room, and makes way only for deletions. Used by `outbox`.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

RESERVE_BYTES_MAX = 16_000_000
"""Enough for a write-ahead log at its usual length, twice over."""
DISK_SHARE_MAX = 0.25
"""On a tiny disk no more than this share of it."""


class Reserve:
    """One file beside the outbox."""

    def __init__(self, outbox: Path) -> None:
        self._path = outbox.with_name(outbox.name + "-reserve")

    @property
    def is_held(self) -> bool:
        return self._path.exists()

    def hold(self) -> bool:
        """Take the room if it is not held; whether it is held now."""
        if self.is_held:
            return True
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            disk = shutil.disk_usage(self._path.parent)
            size = min(RESERVE_BYTES_MAX, int(disk.total * DISK_SHARE_MAX))
            with fresh.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
            fresh.rename(self._path)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            return False
        return True

    def release(self) -> None:
        """Make way."""
        self._path.unlink(missing_ok=True)
