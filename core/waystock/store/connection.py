"""Connections as Waystock uses them: UTC, a name in pg_stat_activity, JSON by msgspec."""

from typing import Any

import msgspec
import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import set_json_dumps, set_json_loads

from waystock.store.schema import application_name

LINE: dict[str, Any] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""How long a server may say nothing at all (libpq's names; seconds, one in milliseconds): one that
vanished, its cable cut, is given up after 15 to 25 s instead of never."""

Database = psycopg.Connection[tuple[Any, ...]]
"""A synchronous connection whose rows are tuples."""

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)


def connect(database_url: str, name: str, *, autocommit: bool = False) -> Database:
    """A connection for the process `name`; psycopg.OperationalError where there is no server."""
    return psycopg.connect(
        database_url,
        autocommit=autocommit,
        row_factory=tuple_row,
        application_name=application_name(name),
        options="-c timezone=UTC",
        **LINE,
    )
