"""Child processes that never outlive us: what to run, as whom, and how it is stopped. Upstream: the
supervisor and the tests' fixtures; downstream: the operating system. Linux only, for `prctl`.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

STOP_GRACE_S = 8.0
"""From the stop signal to SIGKILL; every process of ours promises to drain within 5 s."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True)
class Account:
    """The operating system's user a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """One process to be: arguments, environment beside ours, account, stop signal."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    account: Account | None = None
    """None: whoever we are."""
    root: Path | None = None
    """A changed root (needs root); `argv` and paths are then seen from inside it."""
    stop_signal: signal.Signals = signal.SIGTERM


Process = subprocess.Popen[bytes]


def start(command: Command, output: IO[bytes] | int) -> Process:
    """Start `command` with standard output and error to `output`, in a process group of its own
    (the terminal's Ctrl-C reaches us alone). It is killed when the calling thread ends, so call
    this from the main thread. Raises OSError where the program cannot be run.
    """
    environment = {**os.environ, **command.env}
    if command.root is not None:
        environment.pop("LD_LIBRARY_PATH", None)
    return subprocess.Popen(
        command.argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        process_group=0,
        preexec_fn=_Confinement(command, os.getpid()),  # noqa: PLW1509 - takes no lock, imports nothing
    )


def run(command: Command, *, timeout_s: float, stdin: bytes = b"") -> str:
    """Run `command` to its end; what it wrote to standard output. Raises RuntimeError with all it
    said where it fails, and subprocess.TimeoutExpired.
    """
    done = subprocess.run(
        command.argv,
        input=stdin,
        capture_output=True,
        env={**os.environ, **command.env},
        process_group=0,
        preexec_fn=_Confinement(command, os.getpid()),
        timeout=timeout_s,
        check=False,
    )
    if done.returncode != 0:
        text = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise RuntimeError(f"{command.name} ended with status {done.returncode}: {text}")
    return done.stdout.decode(errors="replace")


def stop(process: Process, stop_signal: signal.Signals, grace_s: float = STOP_GRACE_S) -> bool:
    """Ask `process` to end, wait, and kill it if it will not. False if it had to be killed."""
    if process.poll() is not None:
        return True
    process.send_signal(stop_signal)
    return await_end(process, grace_s)


def await_end(process: Process, grace_s: float = STOP_GRACE_S) -> bool:
    """Wait for a process that was asked to end, and kill it if it will not. False if it had to be
    killed.
    """
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


class _Confinement:
    """Runs in the child between fork and exec: root, then account, then the death signal (a change
    of account clears it, so it comes last).
    """

    def __init__(self, command: Command, parent_pid: int) -> None:
        self._command = command
        self._parent_pid = parent_pid

    def __call__(self) -> None:
        root, account = self._command.root, self._command.account
        if root is not None:
            os.chroot(root)
            os.chdir("/")
        if account is not None:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
            os.umask(0o077)
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != self._parent_pid:  # we lost the race: the parent is gone already
            os._exit(1)
