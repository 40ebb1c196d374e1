"""What a changed configuration asks of a running gateway: which ports to close and to open, and
what only a restart can change. Pure. Used by `gateway` on SIGHUP.
"""

from typing import NamedTuple

from waystock_gateway.settings import PortSettings, Settings


class Changes(NamedTuple):
    """From one configuration to the next."""

    close: tuple[str, ...]
    """Devices whose ports are gone or changed."""
    open: tuple[PortSettings, ...]
    """Ports that are new or changed."""
    need_restart: tuple[str, ...]
    """Tables that have changed and are read at the start alone."""


def changes(old: Settings, new: Settings) -> Changes:
    """Ports that are the same in both go on undisturbed."""
    before = {port.device: port for port in old.ports}
    after = {port.device: port for port in new.ports}
    return Changes(
        close=tuple(device for device, port in before.items() if after.get(device) != port),
        open=tuple(port for device, port in after.items() if before.get(device) != port),
        need_restart=tuple(
            table
            for table in ("gateway", "uplink", "remote", "mqtt_sources")
            if getattr(old, table) != getattr(new, table)
        ),
    )
