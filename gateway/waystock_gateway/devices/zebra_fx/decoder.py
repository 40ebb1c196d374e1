"""Zebra FX IoT Connector: `{type, timestamp, data: {idHex, antenna, peakRssi, …}}`, one tag a
message; which fields come beside `idHex` depends on the reader's settings. Inputs come as `{type:
"gpi", data: {pin, state}}`. Upstream: the MQTT source. Downstream: the reader's presence session.
"""

from collections.abc import Iterator

from waystock_gateway.devices.reader_json import (
    Found,
    Message,
    antenna_of,
    decode_payload,
    epc_of,
    input_change_of,
    number_of,
    reader_s_of,
    table_of,
)
from waystock_gateway.readings import Reading, TagRead

_HEALTH_TYPES = frozenset({"heartbeat", "status", "alert"})
"""What a reader says of itself on the same topic."""
_IS_HIGH = {"HIGH": True, "LOW": False}


def decode(payload: bytes) -> list[Reading]:
    """Tags, changes of inputs and rejects of one MQTT message."""
    return decode_payload(payload, _found)


def _found(message: Message) -> Iterator[Found]:
    kind = str(message.get("type", "")).lower()
    if kind in _HEALTH_TYPES:
        return
    data = table_of(message, "data")
    reader_s = reader_s_of(message.get("timestamp"))
    if kind == "gpi":
        is_high = _IS_HIGH.get(str(data.get("state", "")).upper())
        yield input_change_of(data.get("pin"), is_high, reader_s)
        return
    yield TagRead(
        epc=epc_of(data.get("idHex")),
        rssi_dbm=number_of(data.get("peakRssi"), -128, 0),
        antenna=antenna_of(data.get("antenna")),
        reader_s=reader_s,
    )
