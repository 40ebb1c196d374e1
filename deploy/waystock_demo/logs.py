"""One log file per process, kept bounded, and read as it grows: what was logged as an error goes
into the report. Upstream: the supervisor's children; downstream: state/logs and the report.
"""

import re
from pathlib import Path
from typing import BinaryIO

LOG_BYTES_MAX = 8 * 1024 * 1024
"""Beyond this a log becomes `….log.1` and starts again: at most twice this for each process."""
ERRORS_KEPT_MAX = 200
"""Error lines kept word for word; further ones are only counted."""
_LINE_BYTES_MAX = 4_000

_ERROR = re.compile(
    rb"\blevel=(?:error|critical|ERROR|CRITICAL)\b"  # ours, and Python libraries'
    rb"|^Traceback "  # a crash
    rb"|\b(?:ERROR|FATAL|PANIC):  "  # PostgreSQL
    rb"|\[(?:ERR|FTL)\]"  # NATS
)


class LogFolder:
    """The logs of one run. Call `look` often: it reads what is new and keeps the files bounded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_to: dict[str, int] = {}
        self._rest: dict[str, bytes] = {}
        self.errors: list[str] = []
        self.error_count = 0

    def open(self, name: str) -> BinaryIO:
        """The file that process `name` appends to; a new run starts a new one."""
        path = self.path(name)
        if name not in self._read_to:
            if path.exists():
                path.replace(path.with_name(path.name + ".1"))
            self._read_to[name] = 0
        return path.open("ab")

    def path(self, name: str) -> Path:
        """Where the log of process `name` lies."""
        return self._folder / f"{name}.log"

    def tail(self, name: str, lines: int = 15) -> str:
        """The last lines of a log, to show when its process will not start."""
        text = self.path(name).read_text(errors="replace") if self.path(name).exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def look(self) -> None:
        """Read what the logs have grown by."""
        for name in self._read_to:
            self._look_at(name)

    def _look_at(self, name: str) -> None:
        path = self.path(name)
        with path.open("rb") as file:
            file.seek(self._read_to[name])
            new = file.read()
            self._read_to[name] = file.tell()
        *lines, rest = (self._rest.get(name, b"") + new).split(b"\n")
        self._rest[name] = rest[:_LINE_BYTES_MAX]
        for line in lines:
            if _ERROR.search(line):
                self._keep(name, line)
        if self._read_to[name] > LOG_BYTES_MAX:
            self._turn_over(name)

    def _keep(self, name: str, line: bytes) -> None:
        self.error_count += 1
        if len(self.errors) < ERRORS_KEPT_MAX:
            self.errors.append(f"{name}: {line[:_LINE_BYTES_MAX].decode(errors='replace')}")

    def _turn_over(self, name: str) -> None:
        """Copy, then empty: the process holds the file open for appending and goes on in it. A line
        that is written between the two is lost, which a demo's log can bear.
        """
        path = self.path(name)
        path.with_name(path.name + ".1").write_bytes(path.read_bytes())
        with path.open("r+b") as file:
            file.truncate(0)
        self._read_to[name] = 0
