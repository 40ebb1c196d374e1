"""What RFID readers publish over MQTT: Zebra FX (IoT Connector), Zebra RFD40 and RFD90 sleds,
Impinj R700. Upstream: reads of tags; downstream: an uplink. Sources: Zebra's IoT Connector pages on
tag data and heartbeats and those of the RFD40/90's MQTT interface (dataEVT, heartBeatEVT); Impinj's
IoT Device Interface (tagInventory and inventoryStatus events).
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from waystock.contract.identifiers import iso_utc

FIRMWARE_FX, FIRMWARE_RFD40, FIRMWARE_R700 = "3.21.23", "PAAFNS00-003-R01", "8.2.0.240"


class Read(NamedTuple):
    """One tag, heard once."""

    epc: bytes
    rssi_dbm: int
    antenna: int


def zebra_fx(reads: Sequence[Read], time: datetime, number: int) -> list[bytes]:
    """A message for each tag, in the reader's own spelling of time."""
    return [
        _json(
            {
                "type": "SIMPLE",
                "timestamp": _zebra_time(time),
                "data": {
                    "idHex": read.epc.hex(),
                    "eventNum": number + i,
                    "format": "epc",
                    "antenna": read.antenna,
                    "peakRssi": read.rssi_dbm,
                    "reads": 1,
                    "PC": "3000",
                },
            }
        )
        for i, read in enumerate(reads)
    ]


def zebra_fx_heartbeat(time: datetime, uptime_s: int) -> bytes:
    """How the reader is."""
    health = {"uptime": uptime_s, "firmware": FIRMWARE_FX, "temperature": 41}
    return _json({"type": "heartbeat", "timestamp": _zebra_time(time), "data": {"system": health}})


def rfd40(reads: Sequence[Read], time: datetime, number: int) -> list[bytes]:
    """One message for all tags of a round."""
    tags = [
        {"idHex": read.epc.hex().upper(), "peakRssi": read.rssi_dbm, "eventNum": number + i}
        for i, read in enumerate(reads)
    ]
    document = {"type": "INVENTORY", "timestamp": _zebra_time(time), "data": {"tagData": tags}}
    return [_json(document)] if tags else []


def rfd40_heartbeat(time: datetime, uptime_s: int, battery_percent: int) -> bytes:
    """How the sled is; it goes to the event topic."""
    health = {"uptime": uptime_s, "firmware": FIRMWARE_RFD40, "batteryPercentage": battery_percent}
    return _json({"type": "heartBeatEVT", "timestamp": _zebra_time(time), "data": health})


def impinj_hex(reads: Sequence[Read], time: datetime, number: int) -> list[bytes]:
    """A message for each tag; the EPC in hex, signal strength in hundredths of dBm."""
    del number
    return [_impinj(read, time, {"epcHex": read.epc.hex().upper()}) for read in reads]


def impinj_base64(reads: Sequence[Read], time: datetime, number: int) -> list[bytes]:
    """The same with the EPC in base64, as the reader leaves the factory."""
    del number
    return [
        _impinj(read, time, {"epc": urlsafe_b64encode(read.epc).decode().rstrip("=")})
        for read in reads
    ]


def _impinj(read: Read, time: datetime, epc: dict[str, str]) -> bytes:
    event = {**epc, "antennaPort": read.antenna, "peakRssiCdbm": read.rssi_dbm * 100}
    return _json(
        {"timestamp": iso_utc(time), "eventType": "tagInventory", "tagInventoryEvent": event}
    )


def impinj_status(time: datetime) -> bytes:
    """That it has begun to listen for tags."""
    return _json(
        {
            "timestamp": iso_utc(time),
            "eventType": "inventoryStatus",
            "inventoryStatusEvent": {"inventoryStatus": "running", "firmware": FIRMWARE_R700},
        }
    )


def _zebra_time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}+0000"


def _json(document: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(document)
