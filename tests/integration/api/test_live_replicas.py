"""Two replicas of the api on one store and one broker, real ingest behind them: whatever is killed
or lost on the way, both end with the picture that the store has, and no screen is ever shown an
older state after a newer one.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.api.running import (
    Api,
    Screen,
    add_token,
    running_api,
    screen,
    settings,
)
from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.processes import running, wait_until
from waystock.contract.events import Batch
from waystock.contract.live import decode_live, encode_entity
from waystock.store.connection import connect
from waystock.store.live import load_entities
from waystock.store.masterdata import import_master_data
from waystock_demo.bench import load
from waystock_demo.process import Command, Process

SHAPE = load.Shape(vehicles=20, scanners=3, events_per_s=2.0)
EVENTS, EVENTS_PER_BATCH = 3_000, 20
CHANNELS = ("stock", "transit", "alerts")
SETTLED_WITHIN_S = 30.0


class Watcher(threading.Thread):
    """A screen that follows one channel until it is closed, and notes what must never be."""

    def __init__(self, client: Screen, channel: str) -> None:
        super().__init__(name=f"watch-{channel}", daemon=True)
        self.client = client
        self.channel = channel
        self.steps_back: list[str] = []
        self.deltas = 0
        self._newest: dict[str, int] = {}
        client.sub(channel)

    def run(self) -> None:
        try:
            while True:
                frame = self.client.receive(timeout_s=300)
                self.deltas += frame["type"] == "delta"
                for entity in frame.get("up", frame.get("d", ())):
                    key, version = entity["key"], entity["version"]
                    if version < self._newest.get(key, version):
                        self.steps_back.append(f"{self.channel} {key}")
                    self._newest[key] = version
        except ConnectionClosed:
            return

    def shown(self) -> dict[str, Any]:
        """What the screen shows; of alerts the open ones, for cleared ones fade."""
        return _lasting(list(self.client.seen.values()))


class Losing:
    """Stands between the broker and one replica and loses all but beats."""

    def __init__(self, api: Api) -> None:
        self.lost: set[str] = set()
        """Topics."""
        self._take = api.services.feed.take
        api.services.feed.take = self  # type: ignore[method-assign]

    def __call__(self, topic: str, payload: bytes) -> None:
        if decode_live(payload).entities:
            self.lost.add(topic.rpartition("/")[2])
            return
        self._take(topic, payload)


class Scene:
    """The store, the broker, two replicas, four screens and a gateway with a backlog."""

    def __init__(
        self, url: str, broker: Broker, replicas: Sequence[Api], watchers: Sequence[Watcher]
    ) -> None:
        self.url = url
        self.broker = broker
        self.replicas = replicas
        self.watchers = watchers
        self.batches: list[Batch] = list(
            load.batches(load.events(EVENTS, shape=SHAPE), EVENTS_PER_BATCH)
        )

    def agree(self) -> bool:
        """Whether every screen shows just what the store has."""
        truth = {channel: self._in_store(channel) for channel in CHANNELS}
        return all(watcher.shown() == truth[watcher.channel] for watcher in self.watchers)

    def wait_settled(self) -> None:
        """Until they agree, and nothing ever went back."""
        wait_until(self.agree, "screens show what the store has", within_s=SETTLED_WITHIN_S)
        assert not [step for watcher in self.watchers for step in watcher.steps_back]

    def loads(self, replica: int) -> list[float]:
        """How often this replica has loaded each picture from the store."""
        return [
            self.replicas[replica].count(
                "waystock_picture_reloads_total", stream=stream, result="done"
            )
            for stream in CHANNELS
        ]

    def is_loaded(self, replica: int) -> bool:
        """Whether it wants to load nothing more for now."""
        wanted = self.replicas[replica].services.loader._wanted
        return not any(wanted[stream].is_set() for stream in CHANNELS)

    def _in_store(self, channel: str) -> dict[str, Any]:
        with connect(self.url, "test") as database:
            entities = load_entities(database, channel, None)
        return _lasting([json.loads(bytes(encode_entity(entity))) for entity in entities])


def _lasting(entities: list[dict[str, Any]]) -> dict[str, Any]:
    return {entity["key"]: entity for entity in entities if entity.get("state") not in {"cleared"}}


@pytest.fixture
def scene(plain_database_url: str, nats_broker: Broker) -> Iterator[Scene]:
    with connect(plain_database_url, "test") as database:
        import_master_data(database, load.master_data(load.pallets_of(EVENTS, SHAPE), SHAPE))
    add_token(plain_database_url)
    chosen = settings(plain_database_url, nats_broker.url)
    with ExitStack() as stack:
        replicas = [stack.enter_context(running_api(chosen)) for _ in range(2)]
        for api in replicas:
            api.wait_ready()
        watchers = [
            Watcher(stack.enter_context(screen(api, "wst_test")), channel)
            for api in replicas
            for channel in CHANNELS
        ]
        for watcher in watchers:
            watcher.start()
        yield Scene(plain_database_url, nats_broker, replicas, watchers)


@pytest.fixture
def gateway(nats_broker: Broker) -> Iterator[FakeGateway]:
    made = FakeGateway(nats_broker.url)
    yield made
    made.close()


StartIngest = Callable[[], Any]


@pytest.fixture
def ingest(plain_database_url: str, nats_broker: Broker, tmp_path: Path) -> StartIngest:
    """Starts `waystock ingest`, each time it is called."""
    command = Command(
        name="ingest",
        argv=(str(Path(sys.executable).with_name("waystock")), "ingest"),
        env={
            **os.environ,
            "WAYSTOCK_DATABASE_URL": plain_database_url,
            "WAYSTOCK_MQTT_URL": nats_broker.url,
        },
    )

    @contextmanager
    def started() -> Generator[Process]:
        with running(command, log := tmp_path / "ingest.log") as process:
            starts = log.read_text().count("ingest_listening")
            wait_until(
                lambda: log.read_text().count("ingest_listening") > starts, "it listens",
                within_s=60,
            )  # fmt: skip
            yield process

    return started


def send(gateway: FakeGateway, batches: Sequence[Batch]) -> None:
    for batch in batches:
        gateway.send(load.OWNER, batch)


def send_until_acknowledged(gateway: FakeGateway, batches: Sequence[Batch]) -> None:
    """As a gateway does: what is not acknowledged is sent again."""
    wanted = range(batches[0].first, batches[-1].first + EVENTS_PER_BATCH)
    for _ in range(5):
        known = gateway.acknowledged[load.STREAM]
        send(gateway, [batch for batch in batches if batch.first not in known])
        try:
            gateway.wait_for(load.STREAM, wanted, within_s=12)
        except AssertionError:
            continue
        return
    gateway.wait_for(load.STREAM, wanted)


def test_two_replicas_end_with_the_stores_picture(
    scene: Scene, ingest: StartIngest, gateway: FakeGateway
) -> None:
    with ingest():
        send_until_acknowledged(gateway, scene.batches)
        scene.wait_settled()
    assert all(watcher.deltas for watcher in scene.watchers if watcher.channel == "transit")


def test_a_replica_that_misses_messages_still_ends_with_the_same_picture(
    scene: Scene, ingest: StartIngest, gateway: FakeGateway
) -> None:
    with ingest():
        send_until_acknowledged(gateway, scene.batches[:100])
        scene.wait_settled()
        # A publisher heard for the first time makes it load everything: that must be over.
        wait_until(lambda: scene.is_loaded(1), "it has loaded what it wanted to")
        losing, before = Losing(scene.replicas[1]), scene.loads(1)
        send_until_acknowledged(gateway, scene.batches[100:])
        wait_until(lambda: {"stock", "transit"} <= losing.lost, "both lost something")
        # Nothing new is said any more: only a beat's number tells what was missed.
        scene.wait_settled()
    assert scene.loads(1) > before, "a gap leads to a load from the store"


def test_an_ingest_that_is_killed_leaves_no_screen_behind(
    scene: Scene, ingest: StartIngest, gateway: FakeGateway
) -> None:
    for third in range(3):
        with ingest() as process:
            send(gateway, scene.batches[third * 50 : (third + 1) * 50])
            process.kill()
            process.wait()
    with ingest():
        send_until_acknowledged(gateway, scene.batches)
        scene.wait_settled()


def test_a_broker_that_is_killed_leaves_no_screen_behind(
    scene: Scene, ingest: StartIngest, gateway: FakeGateway
) -> None:
    with ingest():
        for third in range(3):
            send(gateway, scene.batches[third * 50 : (third + 1) * 50])
            scene.broker.kill()
            scene.broker.start()
        send_until_acknowledged(gateway, scene.batches)
        scene.wait_settled()
