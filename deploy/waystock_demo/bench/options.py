"""What a benchmark may be told: how much, for how long, with which broker, on which server."""

import msgspec

EMBEDDED = "embedded"
"""The wheel's PostgreSQL, started for the benchmark."""
LOCAL_TIMESCALE = "timescale"
"""This machine's own TimescaleDB packages, started for the benchmark."""


class BenchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """None: what the benchmark itself finds right."""

    events: int | None = None
    seconds: float | None = None
    broker: str = "nats"
    """nats or mosquitto."""
    server: str = EMBEDDED
    """EMBEDDED, LOCAL_TIMESCALE, or the URL of a server whose superuser may make databases."""
