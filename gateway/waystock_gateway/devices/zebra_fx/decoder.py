"""Zebra FX IoT Connector: `{type, timestamp, data: {idHex, antenna, peakRssi, …}}`, one tag a
message; which fields come beside `idHex` depends on the reader's settings. Upstream: the MQTT
source. Downstream: the reader's presence session.
"""

from collections.abc import Iterator

from waystock_gateway.devices.reader_json import (
    Message,
    antenna_of,
    decode_payload,
    epc_of,
    number_of,
    table_of,
)
from waystock_gateway.readings import Reading, TagRead

_HEALTH_TYPES = frozenset({"heartbeat", "status", "alert"})
"""What a reader says of itself on the same topic."""


def decode(payload: bytes) -> list[Reading]:
    """Tags and rejects of one MQTT message."""
    return decode_payload(payload, _tag_reads)


def _tag_reads(message: Message) -> Iterator[TagRead]:
    if str(message.get("type", "")).lower() in _HEALTH_TYPES:
        return
    data = table_of(message, "data")
    yield TagRead(
        epc=epc_of(data.get("idHex")),
        rssi_dbm=number_of(data.get("peakRssi"), -128, 0),
        antenna=antenna_of(data.get("antenna")),
    )
