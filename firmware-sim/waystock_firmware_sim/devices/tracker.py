"""A truck's tracker that speaks MQTT: a JSON fix every two seconds, QoS 1, kept in flash while the
broker is away. Upstream: a receiver; downstream: the broker, and the truth once the broker has
answered.
"""

import ssl
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from waystock.contract.broker import parse_broker_url
from waystock.contract.identifiers import iso_utc
from waystock_firmware_sim.devices.gps_unit import Receiver
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

FIX_PERIOD_S = 2.0
FIRST_FIX_S = 3.0
FLASH_FIXES_MAX = 10_000
RECONNECT_S_MIN, RECONNECT_S_MAX = 1, 8
KEEPALIVE_S = 30
ANSWERS_POLL_S = 0.1
CLOSE_S_MAX = 0.05

_log = structlog.get_logger()


class Uplink(Protocol):
    """Where a tracker puts its fixes."""

    def publish(self, payload: bytes, delivered: Callable[[], None]) -> bool:
        """Take one message; False when flash is full. `delivered` is called from `poll`."""
        ...

    def poll(self) -> None:
        """Call `delivered` of what the broker has answered since."""
        ...

    def waiting(self) -> int:
        """Messages that the broker has not answered."""
        ...


class Tracker:
    """One tracker; kmh units send `speed_kmh`, the others `speed_mps`."""

    def __init__(
        self,
        device: str,
        uplink: Uplink,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        receiver: Receiver,
        speaks_kmh: bool,
        phase_s: float,
    ) -> None:
        self.device = device
        self.dropped_fixes = 0
        self._uplink = uplink
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._receiver = receiver
        self._speaks_kmh = speaks_kmh
        self._is_on = True
        self._last = utc()
        scheduler.after(FIRST_FIX_S + phase_s, self._speak)
        scheduler.every(ANSWERS_POLL_S, uplink.poll)

    @property
    def is_drained(self) -> bool:
        """Whether the broker has everything."""
        return self._uplink.waiting() == 0

    def switch_off(self) -> None:
        """Take no further fix; what is in flash still goes out."""
        self._is_on = False

    def _speak(self) -> None:
        if not self._is_on:
            return
        now = self._utc()
        time = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
        if time > self._last:
            self._last = time
            self._send(time)
        self._scheduler.after(FIX_PERIOD_S, self._speak)

    def _send(self, time: datetime) -> None:
        payload = self._payload(time)
        if not self._uplink.publish(payload, lambda: self._truth.position(self.device, time)):
            self.dropped_fixes += 1

    def _payload(self, time: datetime) -> bytes:
        fix = self._receiver.fix_at(time)
        speed = (
            {"speed_kmh": round(fix.speed_mps * 3.6, 2)}
            if self._speaks_kmh
            else {"speed_mps": round(fix.speed_mps, 3)}
        )
        return msgspec.json.encode(
            {
                "lat": fix.lat,
                "lon": fix.lon,
                "time": iso_utc(time),
                **speed,
                "course_deg_true": round(fix.course_deg_true, 1),
                "altitude_m": round(fix.altitude_m, 1),
                "hdop": fix.hdop,
                "satellites": fix.satellites,
            }
        )


class MqttUplink:
    """A connection of its own to the broker, as each tracker has; paho runs its network thread.

    One message is in flight at a time: after a lost connection at most one is sent twice, and the
    receiver knows it by its time.
    """

    def __init__(self, url: str, device: str, topic: str) -> None:
        self._topic = topic
        self._waiting: dict[int, Callable[[], None]] = {}
        self._answered: deque[int] = deque()
        self._lock = threading.Lock()
        self._is_refused = False
        address = parse_broker_url(url)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"tracker-{device}", protocol=mqtt.MQTTv311
        )
        if address.username:
            self._client.username_pw_set(address.username, address.password)
        if address.tls:
            # paho's own annotation is incomplete here.
            context = ssl.create_default_context()
            self._client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
        self._client.max_inflight_messages_set(1)
        self._client.max_queued_messages_set(FLASH_FIXES_MAX)
        self._client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect
        self._client.connect_async(address.host, address.port, KEEPALIVE_S)
        # Not paho's loop_start: its stop waits as long as a lost broker makes it wait.
        self._thread = threading.Thread(
            target=self._client.loop_forever, kwargs={"retry_first_connection": True}, daemon=True
        )
        self._thread.start()

    def publish(self, payload: bytes, delivered: Callable[[], None]) -> bool:
        """See Uplink.publish."""
        info = self._client.publish(self._topic, payload, qos=1)
        if info.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            return False
        self._waiting[info.mid] = delivered
        return True

    def poll(self) -> None:
        """See Uplink.poll."""
        with self._lock:
            answered, self._answered = self._answered, deque()
        for mid in answered:
            self._waiting.pop(mid)()

    def waiting(self) -> int:
        """See Uplink.waiting."""
        return len(self._waiting)

    def close(self) -> None:
        """Hang up; a thread that waits for a lost broker is left to end with the process."""
        self._client.disconnect()
        self._thread.join(CLOSE_S_MAX)

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        if reason.is_failure and not self._is_refused:
            _log.error("broker_refuses_tracker", topic=self._topic, reason=str(reason))
        self._is_refused = reason.is_failure

    def _on_publish(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reason: ReasonCode,
        properties: Properties,
    ) -> None:
        # Runs in paho's thread: `publish` may not have returned the number yet, `poll` comes later.
        del client, userdata, reason, properties
        with self._lock:
            self._answered.append(mid)
