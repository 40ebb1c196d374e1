"""TCP ports: the one that was told, the usual one, or a free one. Upstream: the demo's options and
the tests' fixtures; downstream: nothing.
"""

import socket


class PortBusyError(Exception):
    """A port that the user named is taken."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `host`:`port` now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on now; the system gives out a different one each time."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def choose_port(told: int | None, usual: int, option: str, host: str = "127.0.0.1") -> int:
    """`told` if the user named one (PortBusyError if it is taken); else `usual`, or a free one when
    that is busy.
    """
    if told is not None:
        if not is_free(told, host):
            raise PortBusyError(
                f"{option} {told}: something already listens on {host}:{told}; "
                f"name another port, or leave {option} out and a free one is taken"
            )
        return told
    return usual if is_free(usual, host) else free_port(host)


class PortChoice:
    """The port of one server, ours until we end: another demo does not choose it, not even while
    the server is being restarted.
    """

    def __init__(self, told: int | None, usual: int, option: str, host: str = "127.0.0.1") -> None:
        self.option = option
        self.host = host
        self._is_told = told is not None
        self.number = choose_port(told, usual, option, host)
        if not _claim(self.number):
            self.take_another()

    def take_another(self) -> None:
        """Change to a free port. Raises PortBusyError where the user named this one."""
        if self._is_told:
            raise PortBusyError(
                f"{self.option} {self.number}: another program took {self.host}:{self.number} "
                f"just now; name another port, or leave {self.option} out and a free one is taken"
            )
        self.number = free_port(self.host)
        _claim(self.number)


def _claim(port: int) -> bool:
    """Mark `port` as this process's, until it ends, in a way that other demos see: by the name of a
    socket in Linux's abstract name space. False where another demo was first.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0waystock-demo-port-{port}")
    except OSError:
        claim.close()
        return False
    claim.detach()
    return True
