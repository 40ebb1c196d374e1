"""The measuring screen against a scripted server: what it counts, and how it keeps up."""

import json
import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.sync.server import Server, ServerConnection, serve

from tests.support.processes import wait_until
from waystock_demo.screen import CHANNELS, Screen

TRANSIT = CHANNELS.index("transit")


class ScriptedApi:
    """Answers each subscription with an empty snapshot; sends what the test says."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.connection: ServerConnection | None = None
        self.server: Server = serve(self._serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        self.connection = connection
        for text in connection:
            message = json.loads(text)
            self.heard.append(message)
            if message["type"] == "sub":
                self.send(type="snap", id=message["id"], epoch="e", seq=10, part=1, of=1, d=[])

    def send(self, **message: Any) -> None:
        assert self.connection is not None
        self.connection.send(json.dumps(message))

    def count(self, kind: str) -> int:
        return sum(message["type"] == kind for message in self.heard)

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()


@pytest.fixture
def api() -> Generator[ScriptedApi]:
    api = ScriptedApi()
    yield api
    api.close()


@pytest.fixture
def screen(api: ScriptedApi) -> Generator[Screen]:
    screen = Screen(api.url, "token")
    screen.start()
    wait_until(lambda: api.count("ack") == len(CHANNELS), "every snapshot is acknowledged")
    yield screen
    screen.finish()


def truck(captured_at: datetime) -> dict[str, Any]:
    return {"key": "truck-01", "version": 1, "captured_at": captured_at.isoformat(), "lat": 31.0}


def test_the_screen_signs_in_before_it_asks(api: ScriptedApi, screen: Screen) -> None:
    del screen
    assert api.heard[0] == {"type": "auth", "token": "token"}


def test_a_reading_is_timed_once_however_often_it_is_sent(api: ScriptedApi, screen: Screen) -> None:
    captured_at = datetime.now(UTC) - timedelta(seconds=2)
    for seq in (11, 12):
        api.send(type="delta", id=TRANSIT, seq=seq, prev=seq - 1, up=[truck(captured_at)], rm=[])
    wait_until(lambda: api.count("ack") == len(CHANNELS) + 2, "both deltas are acknowledged")
    seen = screen.finish()
    assert seen.shown["transit"] == 2
    (latency_ms,) = seen.latencies_ms
    assert 2000 <= latency_ms < 12_000


def test_after_a_gap_the_screen_asks_for_the_whole_picture(
    api: ScriptedApi, screen: Screen
) -> None:
    api.send(type="delta", id=TRANSIT, seq=15, prev=14, up=[truck(datetime.now(UTC))], rm=[])
    wait_until(lambda: api.count("sub") == len(CHANNELS) + 1, "it subscribes again")
    assert screen.finish().shown["transit"] == 0


def test_the_screen_comes_back_when_the_api_does(api: ScriptedApi, screen: Screen) -> None:
    assert api.connection is not None
    api.connection.close()
    wait_until(lambda: api.count("auth") == 2, "it signs in again")
    assert screen.finish().connections == 2
