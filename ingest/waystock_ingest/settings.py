"""Ingest's settings, from the environment and the command line. Every limit has its name here."""

import argparse
import re
import socket
from collections.abc import Mapping, Sequence

import msgspec

from waystock.contract.broker import BrokerAddress, parse_broker_url
from waystock.contract.identifiers import check_name


class IngestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one ingest process is told."""

    database_url: str
    broker: BrokerAddress
    worker: str = "ingest-1"
    """Name of this worker: its MQTT client id and its name as a publisher of live deltas. Two with
    one name would throw each other off the broker."""
    group: str | None = None
    """Workers of one group share the gateways' messages; needs a broker that speaks MQTT 5."""
    metrics_port: int | None = None
    linger_s: float = 0.02
    """How long a batch waits for company once its first message is there."""
    bytes_per_piece_max: int = 8_000_000
    """What is read and written at once of a backlog."""
    bytes_per_commit_max: int = 48_000_000
    """A commit gathers pieces while the one before goes on; not more than this."""
    messages_waiting_max: int = 4096
    """Messages held for the store; when full, nothing more is read from the broker."""
    bytes_waiting_max: int = 64_000_000
    """The same in bytes, whichever comes first: what an outage of the store costs in memory."""
    publish_interval_s: float = 0.1
    """A changed entity is published at most this often."""
    database_retry_s_max: float = 5.0


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> IngestSettings:
    """Settings or ValueError saying what is missing and what would be right."""
    parser = argparse.ArgumentParser(prog="waystock ingest", description=__doc__)
    parser.add_argument("--metrics-port", type=int, help="serve Prometheus metrics on this port")
    parser.add_argument("--worker", help="name of this worker, one each")
    parser.add_argument(
        "--shared", metavar="GROUP", help="share the load with the other workers of GROUP (MQTT 5)"
    )
    options = parser.parse_args(arguments)
    group = options.shared or environment.get("WAYSTOCK_INGEST_GROUP") or None
    worker = options.worker or environment.get("WAYSTOCK_INGEST_WORKER") or _own_name(group)
    return IngestSettings(
        database_url=_required(environment, "WAYSTOCK_DATABASE_URL", "postgresql://…"),
        broker=parse_broker_url(
            _required(environment, "WAYSTOCK_MQTT_URL", "mqtt://user:password@host:1883")
        ),
        worker=worker,
        group=None if group is None else check_name(group, "group"),
        metrics_port=options.metrics_port,
    )


def _own_name(group: str | None) -> str:
    """One worker has a fixed name. In a group the host's must do: a container has its own."""
    if group is None:
        return "ingest-1"
    return "ingest-" + re.sub("[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:50]


def _required(environment: Mapping[str, str], name: str, example: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ValueError(f"set {name}, such as {example}")
    return value
