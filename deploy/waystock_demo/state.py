"""The demo's state folder: its lock, its secrets, where everything lies, and `demo.json`, which
tells other tools what runs. Upstream: the demo's main; downstream: the file system.
"""

import fcntl
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

_PASSWORD_BYTES = 12


class StateInUseError(Exception):
    """Another demo runs on this state folder."""


class Secrets(msgspec.Struct):
    """What must stay the same from one start to the next; kept in a file of mode 0600."""

    passwords: dict[str, str] = {}
    """Database, broker accounts and the admin, by name."""
    viewer_token: str = ""
    accounts_in: str = ""
    """The database that admin and token were made in; empty: the embedded one."""
    admin: str = ""
    """Whom the admin's password belongs to; empty until the account is made."""
    seed: int | None = None
    world_start: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    worlds: int = 0
    """How many worlds this state has lived through."""

    def password(self, name: str) -> str:
        """The password kept under `name`, made on first use."""
        if name not in self.passwords:
            self.passwords[name] = secrets.token_urlsafe(_PASSWORD_BYTES)
        return self.passwords[name]


class Login(msgspec.Struct, frozen=True):
    """Who may sign in to the pages."""

    user: str
    password: str


class DemoFile(msgspec.Struct, kw_only=True):
    """`demo.json`: there while the demo runs, readable by its owner alone."""

    url: str
    login: Login
    viewer_token: str
    database_url: str
    mqtt_url: str
    """Ingest's account, or the broker that was named."""
    ports: dict[str, int]
    state: str
    truth: str
    started_at: str
    supervisor: int
    processes: dict[str, int] = {}
    """Name → process id; written anew whenever one of them is restarted."""
    restarts: dict[str, int] = {}
    ready: bool = False


class State:
    """Paths below one state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.postgres = self.folder / "postgres"
        self.nats = self.folder / "nats"
        self.world = self.folder / "world"
        self.gateways = self.folder / "gateways"
        self.logs = self.folder / "logs"
        self.imported = self.folder / "imported.json"
        """The world that was imported last."""
        self.truth = self.folder / "truth.jsonl"
        self.demo_file = self.folder / "demo.json"
        self._secrets_file = self.folder / "secrets.json"

    @contextmanager
    def locked(self, *, fresh: bool) -> Generator[None]:
        """Own the folder until the end; `fresh` forgets what it held. Raises StateInUseError.

        What a killed demo left behind (demo.json, process ids) is out of date as soon as we hold
        the lock: its processes died with it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)  # others may pass (PostgreSQL runs as nobody under root), not look
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateInUseError(
                    f"another demo runs on {self.folder}; stop it, or name another --state"
                ) from None
            self.demo_file.unlink(missing_ok=True)
            if fresh:
                self._forget()
            for folder in (self.gateways, self.logs):
                folder.mkdir(exist_ok=True)
            try:
                yield
            finally:
                self.demo_file.unlink(missing_ok=True)

    def _forget(self) -> None:
        for entry in self.folder.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def read_secrets(self) -> Secrets:
        """Kept secrets, or none yet."""
        if not self._secrets_file.exists():
            return Secrets()
        return msgspec.json.decode(self._secrets_file.read_bytes(), type=Secrets)

    def write_secrets(self, kept: Secrets) -> None:
        """Keep `kept` for the next start."""
        write_private(self._secrets_file, msgspec.json.format(msgspec.json.encode(kept), indent=1))

    def write_demo_file(self, demo: DemoFile) -> None:
        """Tell other tools what runs."""
        write_private(self.demo_file, msgspec.json.format(msgspec.json.encode(demo), indent=1))


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` in one step; only its owner may read it."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(path)
