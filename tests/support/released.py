"""The code of the last release, as it was: what runs beside new code for the minutes of a rolling
restart. It lies here packed, since a checkout may come without its history; made by
`git archive COMMIT core ingest | xz -9e`.
"""

import os
import tarfile
from pathlib import Path

from tests.support.ingesting import WAYSTOCK
from waystock_demo.process import Command, run

LEVEL = 6
"""The newest migration of that code."""
ARCHIVE = Path(__file__).with_name(f"released-level-{LEVEL}.tar.xz")
"""Commit 2348df6."""


class ReleasedCode:
    """Its core and ingest, unpacked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, database_url: str, mqtt_url: str, *arguments: str) -> Command:
        """`waystock …` as that release ran it."""
        path = os.pathsep.join(str(self.folder / member) for member in ("core", "ingest"))
        return Command(
            name=f"released {arguments[0]}",
            argv=(WAYSTOCK, *arguments),
            env={
                "PYTHONPATH": path,
                "WAYSTOCK_DATABASE_URL": database_url,
                "WAYSTOCK_MQTT_URL": mqtt_url,
            },
        )

    def run(self, database_url: str, *arguments: str) -> str:
        """Run one of its commands to the end; what it printed."""
        return run(self.command(database_url, "", *arguments), timeout_s=60)


def released_code(folder: Path) -> ReleasedCode:
    """Unpack it."""
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(folder, filter="data")
    return ReleasedCode(folder)
