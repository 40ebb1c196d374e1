"""What dead letters are tried on: a store that can be made to refuse readings, what ingest does to
it, and the command that a person runs on it.
"""

import io
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest

from tests.support.small_day import INBOUND, STREAMS, TEA, minutes
from waystock.contract.events import Barcode, Batch, Event, encode_batch
from waystock.contract.topics import gateway_topic
from waystock.store.connection import connect
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest import dead_letter_command
from waystock_ingest.batches import prepare
from waystock_ingest.gathering import Gathering
from waystock_ingest.master import Master
from waystock_ingest.pipeline import commit_batches
from waystock_ingest.source import Message

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
OWNER = ("sha", "gw-dock")
STREAM = STREAMS[OWNER]
TOPIC = gateway_topic(*OWNER, "events")
WAYSTOCK = str(Path(sys.executable).with_name("waystock"))
SPOILT = "bad"


def scan(code: str) -> Barcode:
    return Barcode(device="recv", time=NOW, captured_at=NOW, format="text", data=code)


def pallet() -> Barcode:
    elements = (("00", INBOUND[0]), ("02", TEA), ("37", "40"), ("10", "L0"))
    return Barcode(
        device="recv", time=minutes(1), captured_at=minutes(1), aim="]C1", format="gs1",
        data=SPOILT, elements=elements,
    )  # fmt: skip


def batch(first: int, *events: Event, stream: uuid.UUID = STREAM) -> bytes:
    return encode_batch(Batch(stream=stream, first=first, sent_at=NOW, events=events))


class Store(NamedTuple):
    """A database, what ingest does to it, and the command that a person runs on it."""

    url: str

    def take_in(self, *payloads: bytes, topic: str = TOPIC) -> None:
        messages = [Message(topic, payload, 0, 0, 0) for payload in payloads]
        with connect(self.url, "test", autocommit=True) as database:
            commit_batches(
                database, Gathering(prepare(messages)), Master(database), VehicleStates()
            )

    def put_aside(self, payload: bytes, topic: str) -> None:
        """A whole message as another version would leave it, which could not read it."""
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "INSERT INTO dead_letter (topic, stage, reason, payload)"
                " VALUES (%s, 'decode', 'not for this version', %s)",
                (topic, payload),
            )

    def refuse(self, *events: Event, first: int = 0) -> list[int]:
        """These events as dead letters of a table that refuses them, until `mend`."""
        self.run("ALTER TABLE barcode_reading ADD CONSTRAINT spoilt CHECK (data NOT LIKE 'bad%')")
        self.take_in(batch(first, *events))
        return self.letters()

    def mend(self) -> None:
        self.run("ALTER TABLE barcode_reading DROP CONSTRAINT spoilt")

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def letters(self) -> list[int]:
        return [row[0] for row in self.ask("SELECT dead_letter_id FROM dead_letter ORDER BY 1")]

    def stored(self) -> list[tuple[int, str]]:
        return self.ask("SELECT stream_offset, data FROM barcode_reading ORDER BY 1, 2")

    def waiting_for_lock(self) -> list[tuple[Any, ...]]:
        """(pid,) of each command that waits for a lock, so is in the middle of its transaction."""
        return self.ask(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND application_name LIKE '%dead-letter' AND datname = current_database()"
        )

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [WAYSTOCK, "dead-letter", *map(str, arguments)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.environment(),
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "WAYSTOCK_DATABASE_URL": self.url,
            "WAYSTOCK_MQTT_URL": "mqtt://127.0.0.1:1",
        }

    def command(self, *arguments: object, status: int = 0) -> list[dict[str, Any]]:
        """The command in this process, where nobody kills it: a start costs more than the work."""
        output, errors = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(output),
            redirect_stderr(errors),
        ):
            patch.setenv("WAYSTOCK_DATABASE_URL", self.url)
            try:
                done = dead_letter_command.run(list(map(str, arguments)))
            except SystemExit as end:  # argparse's way
                done = end.code
        assert done == status, (output.getvalue(), errors.getvalue())
        return [msgspec.json.decode(line) for line in output.getvalue().splitlines()]


def finish(process: subprocess.Popen[str], status: int = 0) -> list[dict[str, Any]]:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == status, (output, errors)
    return [msgspec.json.decode(line) for line in output.splitlines()]


def results(lines: Sequence[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(line["id"], line["result"]) for line in lines]
