"""MQTT sources: devices that publish to a broker instead of a cable. The session at the broker is
durable and each message is acknowledged only after the outbox has committed it, so a killed
gateway gets again what it had not kept. Upstream: the broker. Downstream: `intake`.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import paho.mqtt.client as mqtt
import structlog

from waystock.contract.identifiers import is_name
from waystock_gateway.clock import Clock
from waystock_gateway.intake import Arrival, Intake, SessionMaker
from waystock_gateway.mqtt_link import MqttLink
from waystock_gateway.readings import Reading
from waystock_gateway.tally import Tally

SUBMIT_TIMEOUT_S = 5.0
UNNAMED_DEVICE = "unknown"
"""Under this name messages are counted whose topic names no usable device."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One topic pattern and what its messages are."""

    topic: str
    decode: Callable[[bytes], list[Reading]]
    session: SessionMaker

    @property
    def subscription(self) -> str:
        return self.topic.replace("{device}", "+")

    def device_of(self, topic: str) -> str | None:
        """The device that `topic` names: None if the topic is another source's, '' if unusable."""
        levels = (
            "([^/]*)" if level == "{device}" else "[^/]*" if level == "+" else re.escape(level)
            for level in self.topic.split("/")
        )
        match = re.fullmatch("/".join(levels), topic)
        if match is None:
            return None
        return match[1] if is_name(match[1]) else ""


class Trackers:
    """A LinkUser: all sources of one broker."""

    def __init__(
        self, sources: Sequence[SourceConfig], intake: Intake, clock: Clock, tally: Tally
    ) -> None:
        self._sources = sources
        self._intake = intake
        self._clock = clock
        self._tally = tally
        self._client: mqtt.Client | None = None
        self._to_ack: deque[tuple[mqtt.Client, int, int]] = deque()
        self.link: MqttLink | None = None
        """Set by `main`: woken when something is to be acknowledged."""

    def up(self, client: mqtt.Client) -> None:
        self._client = client
        for source in self._sources:
            client.subscribe(source.subscription, qos=1)

    def down(self) -> None:
        self._client = None

    def message(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> None:
        """To the intake; what names no device is refused, acknowledged and counted."""
        moment = self._clock.now()
        for source in self._sources:
            device = source.device_of(message.topic)
            if device is None:
                continue
            if not device:
                break
            self._tally.heard(device, moment.mono_s)
            readings = source.decode(bytes(message.payload))
            arrival = Arrival(
                device,
                source.session,
                list(readings),
                moment,
                stored=lambda mid=message.mid, qos=message.qos: self._stored(client, mid, qos),
            )
            if not self._intake.submit(arrival, SUBMIT_TIMEOUT_S):
                self._tally.drop(device, "intake_full")
            return
        self._tally.drop(UNNAMED_DEVICE, "unusable_device_name")
        self._ack(client, message.mid, message.qos)

    def work(self, client: mqtt.Client) -> float | None:
        """Acknowledge to the broker what has been committed."""
        del client
        while self._to_ack:
            self._ack(*self._to_ack.popleft())
        return None

    def farewell(self, client: mqtt.Client) -> None:
        self.work(client)

    def _stored(self, client: mqtt.Client, mid: int, qos: int) -> None:
        """In the intake's thread: only note it, paho belongs to the link's thread."""
        self._to_ack.append((client, mid, qos))
        if self.link is not None:
            self.link.wake()

    def _ack(self, client: mqtt.Client, mid: int, qos: int) -> None:
        """A message of an earlier connection can't be acknowledged on this one: its number may
        mean another message by now. The broker delivers it again."""
        if client is self._client and qos:
            client.ack(mid, qos)
