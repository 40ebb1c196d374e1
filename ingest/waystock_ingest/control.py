"""The narrow way back: acknowledgements to gateways, answers to their hello, their status kept.
Upstream: the source's control messages and the pipeline; downstream: gateways, by MQTT.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec
import structlog

from waystock.contract import acks, topics
from waystock.contract.acks import Ack, OffsetRange
from waystock.contract.topics import GatewayTopic
from waystock.store import offsets
from waystock.store.connection import Database
from waystock.store.errors import DATA_REFUSED
from waystock.store.intake import keep_status
from waystock_ingest import metrics
from waystock_ingest.source import Message

log = structlog.get_logger()

Publish = Callable[[str, bytes], bool]


def send_ack(
    publish: Publish, owner: tuple[str, str], stream: UUID, ranges: list[OffsetRange]
) -> None:
    """Tell a gateway what it may forget. If this is lost, its next hello asks again."""
    topic = topics.gateway_topic(owner[0], owner[1], "ack")
    publish(topic, acks.encode(Ack(stream=stream, committed=tuple(ranges))))


def handle_control(database: Database, message: Message, publish: Publish) -> bool:
    """Answer a hello, keep a status; False where the message was neither or was spoilt."""
    owner = topics.parse_gateway_topic(message.topic)
    try:
        if owner is not None and owner.channel == "hello":
            _answer_hello(database, owner, message.payload, publish)
            return True
        if owner is not None and owner.channel == "status":
            _keep_status(database, owner, message.payload)
            return True
    except (msgspec.DecodeError, *DATA_REFUSED) as error:
        log.warning("control_message_refused", topic=message.topic, reason=str(error))
    metrics.MESSAGES.labels("control_refused").inc()
    return False


def _answer_hello(
    database: Database, owner: GatewayTopic, payload: bytes, publish: Publish
) -> None:
    hello = acks.decode_hello(payload)
    known = offsets.committed(database, hello.stream)
    if known is not None and (known[0], known[1]) != (owner.site, owner.gateway):
        log.warning(
            "hello_for_foreign_stream",
            topic_owner=f"{owner.site}/{owner.gateway}",
            stream_owner=f"{known[0]}/{known[1]}",
            stream=str(hello.stream),
        )
        metrics.MESSAGES.labels("hello_foreign").inc()
        return
    have = known[2] if known else []
    ranges = [
        (max(first, hello.first), min(end, hello.next))
        for first, end in have
        if first < hello.next and end > hello.first
    ]
    metrics.MESSAGES.labels("hello").inc()
    send_ack(publish, (owner.site, owner.gateway), hello.stream, ranges)


def _keep_status(database: Database, owner: GatewayTopic, payload: bytes) -> None:
    keep_status(database, owner.site, owner.gateway, acks.decode_status(payload))
    metrics.MESSAGES.labels("status").inc()
