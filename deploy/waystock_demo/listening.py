"""A server's start on a port that another program may take at the last moment (two demos that start
together choose the same ones). Upstream: the starting steps; downstream: the supervisor.
"""

from collections.abc import Callable
from pathlib import Path

from waystock_demo.ports import PortBusyError, PortChoice, is_free
from waystock_demo.running import READY_WITHIN_S, Demo, StartError
from waystock_demo.supervisor import Service

PORTS_TRIED_MAX = 5
_LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""


def launch_listening(demo: Demo, port: PortChoice, make: Callable[[], Service]) -> None:
    """Launch what `make` makes for `port.number` and return when it listens there. Where somebody
    else was quicker it is made again for another port. Raises StartError where the user named the
    port, or the server will not listen.
    """
    for _ in range(PORTS_TRIED_MAX):
        service = make()
        name = service.command.name
        demo.launch(service)
        demo.wait(
            name,
            lambda name=name: _listens(demo, name, port) or _is_beaten(demo, name, port),
            READY_WITHIN_S,
        )
        if _listens(demo, name, port):
            return
        demo.withdraw(name)
        try:
            port.take_another()
        except PortBusyError as error:
            raise StartError(str(error)) from error
    raise StartError(f"{port.option}: {PORTS_TRIED_MAX} ports were taken under our hands; name one")


def _listens(demo: Demo, name: str, port: PortChoice) -> bool:
    """Whether it is our process that listens, not somebody else's on the same port."""
    pid = demo.process_id(name)
    return pid is not None and listens(pid, port.number)


def _is_beaten(demo: Demo, name: str, port: PortChoice) -> bool:
    return demo.process_id(name) is None and not is_free(port.number, port.host)


def listens(pid: int, port: int) -> bool:
    """Whether process `pid` itself has a listening TCP socket on `port`."""
    process = Path("/proc") / str(pid)
    try:
        rows = [
            line.split()
            for table in ("tcp", "tcp6")
            for line in (process / "net" / table).read_text().splitlines()[1:]
        ]
        sockets = {
            f"socket:[{row[9]}]"
            for row in rows
            if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port
        }
        return bool(sockets) and any(
            str(link.readlink()) in sockets for link in (process / "fd").iterdir()
        )
    except OSError:
        return False  # it has ended, or a descriptor was closed meanwhile
