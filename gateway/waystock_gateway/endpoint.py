"""Where a port's bytes come from, as its `path` says: a serial device, a TCP server that the
gateway calls, or an address at which devices call the gateway. Pure. Upstream: `settings`.
Downstream: `openers`.
"""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

_TCP, _LISTEN = "tcp", "tcp-listen"
_FORMS = (
    "it takes a device such as /dev/serial/by-id/…, tcp://host:port of a server to call, "
    "or tcp-listen://address:port to be called at"
)


class SerialPath(NamedTuple):
    """A device file, or a glob of which the first match counts."""

    pattern: str


class TcpServer(NamedTuple):
    """A server that the gateway connects to."""

    host: str
    port: int


class TcpListen(NamedTuple):
    """An address of the gateway's own that devices connect to."""

    host: str
    port: int

    def clashes(self, other: "TcpListen") -> bool:
        """Whether one process can't listen at both."""
        everywhere = {"0.0.0.0", "::"}
        return self.port == other.port and (
            self.host == other.host or bool({self.host, other.host} & everywhere)
        )


Endpoint = SerialPath | TcpServer | TcpListen


def parse_endpoint(path: str) -> Endpoint:
    """Raises ValueError with what would be right."""
    scheme, separator, _ = path.partition("://")
    if not separator:
        if not path:
            raise ValueError(f"is empty; {_FORMS}")
        return SerialPath(path)
    if scheme not in {_TCP, _LISTEN}:
        raise ValueError(f"{path!r} begins with an unknown {scheme}://; {_FORMS}")
    host, port = _address(path)
    return TcpServer(host, port) if scheme == _TCP else TcpListen(host, port)


def _address(path: str) -> tuple[str, int]:
    try:
        parts = urlsplit(path)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{path!r}: {error}; {_FORMS}") from error
    if not host or not port or parts.path or parts.query or "@" in parts.netloc:
        raise ValueError(f"{path!r} is not host and port alone; {_FORMS}")
    return host, port


def plain_address(text: str) -> str:
    """An IP address in its one usual form, without a zone; IPv4 also where it came through an IPv6
    listener. Raises ValueError for what is none."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        plain_address(text)
    except ValueError:
        return False
    return True
