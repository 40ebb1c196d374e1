"""Ingest's settings, from the environment and the command line. Every limit has its name here."""

import argparse
from collections.abc import Mapping, Sequence

import msgspec

from waystock.contract.broker import BrokerAddress, parse_broker_url


class IngestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one ingest process is told."""

    database_url: str
    broker: BrokerAddress
    worker: str = "ingest-1"
    """Name of this worker: its MQTT client id and its name as a publisher of live deltas."""
    metrics_port: int | None = None
    linger_s: float = 0.02
    """How long a batch waits for company once its first message is there."""
    bytes_per_commit_max: int = 8_000_000
    messages_waiting_max: int = 256
    """Messages held for the store; when full, nothing more is read from the broker."""
    publish_interval_s: float = 0.1
    """A changed entity is published at most this often."""
    database_retry_s_max: float = 5.0


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> IngestSettings:
    """Settings or ValueError saying what is missing and what would be right."""
    parser = argparse.ArgumentParser(prog="waystock ingest", description=__doc__)
    parser.add_argument("--metrics-port", type=int, help="serve Prometheus metrics on this port")
    parser.add_argument("--worker", default="ingest-1", help="name of this worker, one each")
    options = parser.parse_args(arguments)
    return IngestSettings(
        database_url=_required(environment, "WAYSTOCK_DATABASE_URL", "postgresql://…"),
        broker=parse_broker_url(
            _required(environment, "WAYSTOCK_MQTT_URL", "mqtt://user:password@host:1883")
        ),
        worker=options.worker,
        metrics_port=options.metrics_port,
    )


def _required(environment: Mapping[str, str], name: str, example: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ValueError(f"set {name}, such as {example}")
    return value
