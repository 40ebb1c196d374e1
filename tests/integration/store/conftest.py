"""A gateway, the commands of the store, and a database with a day in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.store.contents import RunDb
from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.ingesting import import_day, ingest_command, ingesting, send_day
from waystock.store import command


@pytest.fixture
def waystock_db(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunDb:
    """`waystock db …` on a database: (exit status, lines of standard output, standard error)."""

    def run(url: str, *arguments: object) -> tuple[int, list[dict[str, Any]], str]:
        monkeypatch.setenv("WAYSTOCK_DATABASE_URL", url)
        status = command.run([str(one) for one in arguments])
        said = capsys.readouterr()
        lines = [line for line in said.out.splitlines() if line.startswith("{")]  # no logs
        return status, [msgspec.json.decode(line) for line in lines], said.err

    return run


@pytest.fixture
def gateway(nats_broker: Broker) -> Iterator[FakeGateway]:
    """Speaks for any gateway on this test's broker."""
    gateway = FakeGateway(nats_broker.url)
    yield gateway
    gateway.close()


@pytest.fixture
def day_url(database_url: str, nats_broker: Broker, gateway: FakeGateway, tmp_path: Path) -> str:
    """A database with the small day in it, come through the real ingest."""
    import_day(database_url)
    with ingesting(ingest_command(database_url, nats_broker), tmp_path / "ingest.log"):
        send_day(gateway)
    return database_url
