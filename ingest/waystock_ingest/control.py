"""The narrow way back: acknowledgements to gateways, answers to their hello, their status kept.
Upstream: the source's control messages and the pipeline; downstream: gateways, by MQTT.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec
import structlog

from waystock.contract import acks, topics
from waystock.contract.acks import Ack, Hello, OffsetRange
from waystock.contract.topics import GatewayTopic
from waystock.store import offsets
from waystock.store.connection import Database
from waystock.store.errors import DATA_REFUSED
from waystock.store.intake import keep_status
from waystock_ingest import metrics
from waystock_ingest.gateway_backlog import GATEWAY_BACKLOG
from waystock_ingest.source import Message

log = structlog.get_logger()

MISSING_TOLD_MAX = 10
"""Ranges named in a log line; their readings are all counted."""

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
    _tell_missing(owner, hello, have)
    ranges = [
        (max(first, hello.first), min(end, hello.next))
        for first, end in have
        if first < hello.next and end > hello.first
    ]
    metrics.MESSAGES.labels("hello").inc()
    send_ack(publish, (owner.site, owner.gateway), hello.stream, ranges)


def _tell_missing(owner: GatewayTopic, hello: Hello, have: list[OffsetRange]) -> None:
    """A gateway keeps what is not committed. What it keeps no longer and the store doesn't have is
    lost: the store went back to a backup, or the gateway's outbox was full. A stream may begin at
    any offset, so of one without committed offsets it can only be said that it is not new.
    """
    gaps = offsets.missing(have[0][0], hello.first, have) if have else [(0, hello.first)]
    readings = sum(end - first for first, end in gaps)
    if not readings:
        return
    log.error(
        "offsets_missing",
        owner=f"{owner.site}/{owner.gateway}",
        stream=str(hello.stream),
        readings=readings,
        ranges=gaps[:MISSING_TOLD_MAX],
        stream_known=bool(have),
        why="restored to an earlier state (docs/backup.md), or the gateway's outbox was full",
    )
    metrics.MESSAGES.labels("hello_missing").inc()


def _keep_status(database: Database, owner: GatewayTopic, payload: bytes) -> None:
    status = acks.decode_status(payload)
    keep_status(database, owner.site, owner.gateway, status)
    GATEWAY_BACKLOG.heard(owner.site, owner.gateway, status)
    metrics.MESSAGES.labels("status").inc()
