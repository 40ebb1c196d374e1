"""What a gateway needs around it in tests: devices on pseudo-terminals, a stand-in for ingest that
acknowledges what it was told to, and the gateway itself as a real process.
"""

import os
import pty
import re
import select
import sys
import termios
import threading
import tty
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.processes import running, wait_until
from waystock.contract.acks import Ack, Status, decode_hello, decode_status, encode
from waystock.contract.events import Barcode, Event, Position, Rfid, decode_batch
from waystock_demo.process import Command, Process
from waystock_gateway.outbox_reader import OutboxReader

READ_BYTES = 4096


class PtyDevice:
    """The device's end of a pseudo-terminal, linked at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        self._slave = -1
        self.plug()

    def plug(self) -> None:
        """A new pseudo-terminal behind the same link, as udev names a replugged device."""
        self._fd, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)
        with suppress(OSError):
            os.close(self._slave)
            os.close(self._fd)

    def fileno(self) -> int:
        """The device's end, for `select`."""
        return self._fd

    def send(self, data: bytes) -> None:
        os.write(self._fd, data)

    def receive(self, within_s: float) -> bytes:
        """What the gateway sent, b'' if it sends nothing in time."""
        ready, _, _ = select.select([self._fd], [], [], within_s)
        return os.read(self._fd, READ_BYTES) if ready else b""

    def forget_input(self) -> None:
        """Throw away what the gateway sent so far."""
        termios.tcflush(self._fd, termios.TCIFLUSH)


class Cable(Protocol):
    """The device's end of whatever leads to the gateway."""

    def send(self, data: bytes) -> None: ...
    def receive(self, within_s: float) -> bytes: ...
    def forget_input(self) -> None: ...


CableT = TypeVar("CableT", bound=Cable)


class Scanner(Generic[CableT]):
    """Speaks Zebra SSI; a code counts as taken when the gateway answered ACK."""

    RESEND_S = 1.0

    def __init__(self, device: CableT) -> None:
        self.device = device
        self.taken: list[str] = []

    def packet(self, code: str, *, again: bool = False) -> bytes:
        body = bytes([5 + len(code), 0xF3, 0, int(again), 0x0F]) + code.encode()
        return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")

    def scan(self, code: str, within_s: float = 30.0) -> None:
        """Send until acknowledged."""
        self.device.forget_input()
        tries = 0
        while not self._is_acknowledged(code, again=tries > 0):
            tries += 1
            assert tries * self.RESEND_S < within_s, f"{code} was never acknowledged"
        self.taken.append(code)

    def is_refused(self, code: str) -> bool:
        """Whether one transmission of `code` stays without ACK."""
        return not self._is_acknowledged(code, again=False)

    def _is_acknowledged(self, code: str, *, again: bool) -> bool:
        self.device.send(self.packet(code, again=again))
        return b"\xd0" in self.device.receive(self.RESEND_S)


class FakeIngest:
    """Keeps what arrives by (stream, offset), each once, and acknowledges while it is willing."""

    def __init__(self, url: str) -> None:
        self.events: dict[tuple[UUID, int], Event] = {}
        self.statuses: list[Status] = []
        self.hellos = 0
        self.batches = 0
        self.conflicts = 0
        self.willing = threading.Event()
        self.willing.set()
        parts = urlsplit(url)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="fake-ingest", clean_session=False
        )
        self._client.username_pw_set(parts.username, parts.password)
        self._client.on_connect = _subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(parts.hostname or "", parts.port or 1883)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of(self, kind: type[Event]) -> list[Event]:
        """Events of one kind in the order of their offsets, oldest stream first."""
        ordered = sorted(self.events.copy().items(), key=lambda item: (item[0][0].int, item[0][1]))
        return [event for _, event in ordered if isinstance(event, kind)]

    def codes(self) -> list[str]:
        return [event.data for event in self.of(Barcode) if isinstance(event, Barcode)]

    def positions(self) -> list[Position]:
        return [event for event in self.of(Position) if isinstance(event, Position)]

    def presences(self) -> list[tuple[str, str]]:
        return [(event.epc, event.presence) for event in self.rfid()]

    def rfid(self) -> list[Rfid]:
        return [event for event in self.of(Rfid) if isinstance(event, Rfid)]

    def directions(self) -> list[tuple[str, str]]:
        return [(event.epc, event.direction) for event in self.rfid() if event.direction]

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def _on_message(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        channel = message.topic.rsplit("/", 1)[1]
        ack_topic = message.topic.removesuffix(channel) + "ack"
        payload = bytes(message.payload)
        if channel == "status":
            self.statuses.append(decode_status(payload))
        elif channel == "hello":
            self.hellos += 1
            self._acknowledge(client, ack_topic, decode_hello(payload).stream)
        else:
            self.batches += 1
            batch = decode_batch(payload)
            if not self.willing.is_set():
                return
            for offset, event in enumerate(batch.events, batch.first):
                known = self.events.setdefault((batch.stream, offset), event)
                self.conflicts += known != event
            self._acknowledge(client, ack_topic, batch.stream)

    def _acknowledge(self, client: mqtt.Client, topic: str, stream: UUID) -> None:
        offsets = sorted(offset for known, offset in self.events.copy() if known == stream)
        ranges: list[tuple[int, int]] = []
        for offset in offsets:
            if ranges and ranges[-1][1] == offset:
                ranges[-1] = (ranges[-1][0], offset + 1)
            else:
                ranges.append((offset, offset + 1))
        client.publish(topic, encode(Ack(stream=stream, committed=tuple(ranges))), qos=1)


def _subscribe(client: mqtt.Client, *_: object) -> None:
    topics = [(f"waystock/v1/+/+/{channel}", 1) for channel in ("events", "hello", "status")]
    client.subscribe(topics)


@contextmanager
def fake_ingest(url: str) -> Generator[FakeIngest]:
    ingest = FakeIngest(url)
    try:
        yield ingest
    finally:
        ingest.close()


class GatewayRig:
    """A folder with a gateway's configuration, its data and the links to its devices."""

    def __init__(
        self, folder: Path, broker_url: str, owner: tuple[str, str] = ("sha", "gw-1")
    ) -> None:
        self.folder = folder
        self.log = folder / "gateway.log"
        self.data = folder / "data"
        self.config = folder / "gateway.toml"
        self._devices: list[PtyDevice] = []
        self.config.write_text(
            f'[gateway]\nsite = "{owner[0]}"\ngateway = "{owner[1]}"\n'
            f'data_dir = "{self.data}"\nhealth_s = 1\n'
            f'[uplink]\nurl = "{broker_url}"\nresend_s = 1\nreconnect_s_max = 1\n'
        )

    def add_port(self, device: str, decoder: str, settings: str = "") -> PtyDevice:
        """A further port; `settings` are lines of its decoder's table."""
        pty_device = PtyDevice(self.folder / device)
        self._devices.append(pty_device)
        self.adopt_port(pty_device, decoder, settings)
        return pty_device

    def adopt_port(self, device: PtyDevice, decoder: str, settings: str = "") -> None:
        """Configure a port for a device that somebody else made, and unplugs."""
        self.add_simulated(device.path.name, decoder, settings, topic="")

    def add_simulated(self, device: str, decoder: str, settings: str, topic: str) -> None:
        """Configure what somebody else makes: at the port of its name, or at a topic."""
        if topic:
            self._append(
                f'[[mqtt_sources]]\ntopic = "{topic}"\ndecoder = "{decoder}"\n{settings}\n'
            )
            return
        self._append(
            f'[[ports]]\ndevice = "{device}"\ndecoder = "{decoder}"\n'
            f'path = "{self.folder / device}"\n[ports.{decoder}]\n{settings}\n'
        )

    def add_tcp_port(self, device: str, decoder: str, path: str, settings: str = "") -> None:
        """A port over TCP; `settings` are lines of its own table and of those below it."""
        self._append(
            f'[[ports]]\ndevice = "{device}"\ndecoder = "{decoder}"\npath = "{path}"\n{settings}\n'
        )

    def add_scanner(self, device: str = "scan-1") -> Scanner[PtyDevice]:
        return Scanner(self.add_port(device, "barcode", 'framing = "ssi"\nrepeat_window_s = 0'))

    def add_impinj_readers(self, settings: str = "") -> None:
        """`settings` are lines of their presence table, and the tables below it."""
        self._append(
            '[[mqtt_sources]]\ntopic = "impinj/{device}/events"\ndecoder = "impinj"\n'
            f"[mqtt_sources.presence]\n{settings}\n"
        )

    def add_trackers(self) -> None:
        self._append('[[mqtt_sources]]\ntopic = "trackers/{device}/fix"\n')

    @contextmanager
    def running(self) -> Generator[Process]:
        """The gateway as a process, stopped at the end."""
        argv = (sys.executable, "-m", "waystock_gateway.main", "run", "--config", str(self.config))
        with running(Command(name="gateway", argv=argv), self.log) as process:
            yield process

    def set_broker(self, url: str) -> None:
        """Another broker, for the next start."""
        text = self.config.read_text()
        self.config.write_text(re.sub(r'(?m)^url = ".*"$', f'url = "{url}"', text))

    @contextmanager
    def running_cut_off(self) -> Generator[Process]:
        """The gateway without its broker; it has noticed when the caller gets it."""
        with self.running() as process:
            wait_until(lambda: "mqtt_away" in self.logged(), "it is cut off", within_s=30)
            yield process

    def close(self) -> None:
        for device in self._devices:
            device.unplug()

    def logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def rejects(self) -> dict[str, dict[str, int]]:
        """What the gateway refused: how many frames by device and reason."""
        reader = OutboxReader(self.data / "outbox.sqlite")
        try:
            return reader.rejects()
        finally:
            reader.close()

    def wait_until_up(self, ingest: FakeIngest) -> None:
        """Until the gateway said that it is online, since this call."""
        seen = ingest.hellos
        wait_until(lambda: ingest.hellos > seen, f"gateway is up\n{self.logged()}")

    def _append(self, text: str) -> None:
        self.config.write_text(self.config.read_text() + text)
