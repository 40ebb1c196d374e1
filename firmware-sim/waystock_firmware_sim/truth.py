"""What really happened, one JSON line each, flushed line by line: the readings that must end in the
store, and the alerts that must be raised. Upstream: devices and plot; downstream: the demo's report
and the tests, which compare it with the store.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

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

    def __init__(self, write: Callable[[str], object], *, tells_intent: bool = False) -> None:
        self._write = write
        self._tells_intent = tells_intent
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

    def telemetry(self, device: str, time: datetime, values: dict[str, float]) -> None:
        """Values of sensors that were sent; `time` is the device's own."""
        self._line({"kind": "telemetry", "device": device, "time": iso_utc(time), "values": values})

    def intended(self, kind: str, device: str, **reading: object) -> None:
        """What a device had to tell, whatever became of it: nothing else may end in the store. Only
        where one device runs alone (`tells_intent`).
        """
        if self._tells_intent:
            self._line(
                {
                    "kind": "intended",
                    "of": kind,
                    "device": device,
                    **{
                        name: iso_utc(value) if isinstance(value, datetime) else value
                        for name, value in reading.items()
                    },
                }
            )

    def mishap(self, device: str, mishap: str, frame: bytes) -> None:
        """What went wrong with which frame."""
        self._line({"kind": "mishap", "device": device, "mishap": mishap, "frame": frame.hex()})

    def alert(self, kind: AlertType, subject: str) -> None:
        """An alert that the world has given cause for; once per subject."""
        if (kind, subject) not in self._alerts:
            self._alerts.add((kind, subject))
            self._line({"kind": "alert", "type": kind, "subject": subject})

    def _line(self, record: dict[str, Any]) -> None:
        self._write(msgspec.json.encode(record).decode() + "\n")
