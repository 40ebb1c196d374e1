"""What really happened, one JSON line each, flushed line by line: the readings that must end in the
store, and the alerts that must be raised. Upstream: devices and plot; downstream: the demo's report
and the tests, which compare it with the store.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec

from waystock.contract.identifiers import iso_utc

AlertType = Literal[
    "shipment.late_predicted",
    "vehicle.off_route",
    "load.wrong_vehicle",
    "receipt.short",
    "stock.low",
]


class Truth:
    """Writes lines through `write`, which gets each with its line end."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._alerts: set[tuple[str, str]] = set()

    def barcode(self, device: str, time: datetime, data: str) -> None:
        """A scan that the gateway has acknowledged; `data` without AIM identifier."""
        self._line({"kind": "barcode", "device": device, "time": iso_utc(time), "data": data})

    def position(self, device: str, time: datetime) -> None:
        """A fix that was sent; `time` is the device's own."""
        self._line({"kind": "position", "device": device, "time": iso_utc(time)})

    def rfid(
        self, device: str, time: datetime, epc: bytes, presence: Literal["arrived", "departed"]
    ) -> None:
        """A pallet that came into or left a portal's field for good."""
        self._line(
            {
                "kind": "rfid",
                "device": device,
                "time": iso_utc(time),
                "epc": epc.hex().upper(),
                "presence": presence,
            }
        )

    def alert(self, kind: AlertType, subject: str) -> None:
        """An alert that the world has given cause for; once per subject."""
        if (kind, subject) not in self._alerts:
            self._alerts.add((kind, subject))
            self._line({"kind": "alert", "type": kind, "subject": subject})

    def _line(self, record: dict[str, str]) -> None:
        self._write(msgspec.json.encode(record).decode() + "\n")
