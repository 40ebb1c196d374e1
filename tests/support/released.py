"""The code of the last release, as the repository's history keeps it: what runs beside new code for
the minutes of a rolling restart.
"""

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.ingesting import WAYSTOCK
from tests.support.postgres import on_ci
from waystock_demo.process import Command, run

ROOT = Path(__file__).parents[2]
COMMIT = "2348df6eb7bed0bc3de3b3d013de17fc56d0cee4"
LEVEL = 6
"""The newest migration of that code."""


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
    """Unpack it from the history. A clone whose history is cut fails; only what is no clone at all
    skips, and not on CI.
    """
    if (ROOT / ".git").exists() or on_ci():
        archive = subprocess.run(
            ["git", "archive", COMMIT, "core", "ingest"], cwd=ROOT, capture_output=True, check=False
        )
        assert archive.returncode == 0, (
            f"this clone lacks the released code ({archive.stderr.decode().strip()}):"
            " `git fetch --unshallow` brings the history"
        )
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as packed:
            packed.extractall(folder, filter="data")
        return ReleasedCode(folder)
    pytest.skip("not a git clone, so there is no released code; the check of the schema runs alone")
