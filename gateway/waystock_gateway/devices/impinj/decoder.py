"""Impinj R700: `{eventType: "tagInventory", tagInventoryEvent: {epcHex | epc, antennaPort,
peakRssiCdbm}}`, alone, in arrays or one a line; `epc` is base64, signal strength comes in
hundredths of dBm. Inputs come as `{eventType: "gpiTransition", gpiTransitionEvent: {gpi,
transition}}`. Upstream: the MQTT source. Downstream: the reader's presence session.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from waystock_gateway.devices.reader_json import (
    Found,
    Message,
    UnusableError,
    antenna_of,
    checked_epc,
    decode_payload,
    epc_of,
    input_change_of,
    number_of,
    reader_s_of,
    table_of,
)
from waystock_gateway.readings import Reading, TagRead

_CDBM_PER_DBM = 100
_IS_HIGH = {"low-to-high": True, "high-to-low": False}


def decode(payload: bytes) -> list[Reading]:
    """Tags, changes of inputs and rejects of one message."""
    return decode_payload(payload, _found)


def _found(message: Message) -> Iterator[Found]:
    """Events of other types say how the reader is, not what it hears."""
    kind = message.get("eventType", "tagInventory")
    reader_s = reader_s_of(message.get("timestamp"))
    if kind == "gpiTransition":
        change = table_of(message, "gpiTransitionEvent")
        is_high = _IS_HIGH.get(str(change.get("transition")))
        yield input_change_of(change.get("gpi"), is_high, reader_s)
    if kind != "tagInventory":
        return
    event = table_of(message, "tagInventoryEvent")
    rssi_cdbm = number_of(event.get("peakRssiCdbm"), -12_800, 0)
    yield TagRead(
        epc=epc_of(event["epcHex"]) if "epcHex" in event else _from_base64(event.get("epc")),
        rssi_dbm=None if rssi_cdbm is None else rssi_cdbm / _CDBM_PER_DBM,
        antenna=antenna_of(event.get("antennaPort")),
        reader_s=reader_s,
    )


def _from_base64(value: Any) -> str:
    """Both alphabets of RFC 4648, with padding or without."""
    if not isinstance(value, str):
        raise UnusableError("no_epc")
    text = value.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return checked_epc(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError) as error:
        raise UnusableError("no_epc") from error
