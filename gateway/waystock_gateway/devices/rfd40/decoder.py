"""Zebra RFD40 / RFD90 sleds: `{data: {tagData: [{…}, …]}}`, many tags a message. Upstream: the MQTT
source. Downstream: the reader's presence session.
"""

from collections.abc import Iterator
from typing import Any, cast

from waystock_gateway.devices.reader_json import (
    Message,
    UnusableError,
    decode_payload,
    epc_of,
    number_of,
    table_of,
)
from waystock_gateway.readings import Reading, TagRead

_EPC_NAMES = ("idHex", "epcId", "epc", "tagId")
_RSSI_NAMES = ("peakRssi", "rssi")
"""Spellings differ between firmware versions; the first that is there counts."""


def decode(payload: bytes) -> list[Reading]:
    """Tags and rejects of one MQTT message."""
    return decode_payload(payload, _tag_reads)


def _tag_reads(message: Message) -> Iterator[TagRead | UnusableError]:
    """A damaged tag costs no other of its batch."""
    tags = table_of(message, "data").get("tagData")
    if not isinstance(tags, list):
        raise UnusableError("no_tagData")
    for tag in cast("list[Any]", tags):
        try:
            yield _tag_read(cast("Message", tag) if isinstance(tag, dict) else {})
        except UnusableError as error:
            yield error


def _tag_read(fields: Message) -> TagRead:
    return TagRead(
        epc=epc_of(_first(fields, _EPC_NAMES)),
        rssi_dbm=number_of(_first(fields, _RSSI_NAMES), -128, 0),
    )


def _first(fields: Message, names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if name in fields), None)
