"""The machine code that a batch needs, made or read from the cache before the first one comes.
`python -m waystock_ingest` does it ahead of the first start, for this machine and user.
"""

import uuid
from datetime import UTC, datetime

from waystock.contract.events import Barcode, Batch, Position, encode_batch
from waystock.contract.topics import gateway_topic
from waystock.fleet import fold
from waystock.store import arrays, binary_copy
from waystock_ingest.batches import prepare
from waystock_ingest.source import Message

_AT = datetime(2026, 1, 1, tzinfo=UTC)


def warm_up() -> None:
    """Read a batch and lay out its rows as if it had come, and compile the fleet's rules."""
    fold.warm_up()
    arrays.texts([""])
    fix = Position(device="d", time=_AT, captured_at=_AT, lat=1.5, lon=1.5)
    scan = Barcode(device="d", time=_AT, captured_at=_AT, format="text", data="1")
    batch = Batch(stream=uuid.UUID(int=0), first=0, sent_at=_AT, events=(fix, scan))
    message = Message(gateway_topic("s", "g", "events"), encode_batch(batch), 0, 0, 0)
    for readings in prepare([message]).readings:
        binary_copy.encode(readings.rows)
