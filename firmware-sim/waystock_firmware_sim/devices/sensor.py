"""A sensor in a cold store that publishes its values over MQTT: temperature, humidity, the door's
contact, its battery and its version. Upstream: chance; downstream: an uplink, and the truth once
the broker has answered.
"""

from collections.abc import Callable
from datetime import datetime
from random import Random

import msgspec

from waystock.contract.identifiers import iso_utc
from waystock_firmware_sim.devices.uplink import Message, Uplink
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

FIRMWARE = "0.9.3"
ANSWERS_POLL_S = 0.05
TEMPERATURE_C_MEAN, DOOR_OPEN_RATE = 4.0, 0.05
BATTERY_V_FULL, BATTERY_V_PER_READING = 3.0, 0.00002


class Sensor:
    """One sensor: a message every `period_s`."""

    def __init__(
        self,
        device: str,
        uplink: Uplink,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        random: Random,
        period_s: float,
    ) -> None:
        self.device = device
        self.readings = 0
        self._uplink = uplink
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._random = random
        self._period_s = period_s
        self._temperature_c = TEMPERATURE_C_MEAN
        self._is_on = True
        scheduler.after(period_s, self._speak)
        scheduler.every(ANSWERS_POLL_S, uplink.poll)

    def switch_off(self) -> None:
        """Measure no more."""
        self._is_on = False

    def _speak(self) -> None:
        if not self._is_on:
            return
        time, values = self._utc(), self._values()
        self.readings += 1
        self._truth.intended("telemetry", self.device, time=time, values=values)
        payload = msgspec.json.encode({"time": iso_utc(time), **values, "firmware": FIRMWARE})
        self._uplink.publish(
            Message(payload), lambda: self._truth.telemetry(self.device, time, values)
        )
        self._scheduler.after(self._period_s, self._speak)

    def _values(self) -> dict[str, float]:
        pull_c = (TEMPERATURE_C_MEAN - self._temperature_c) * 0.05
        self._temperature_c += pull_c + self._random.gauss(0, 0.1)
        battery_v = BATTERY_V_FULL - self.readings * BATTERY_V_PER_READING
        return {
            "temperature_c": round(self._temperature_c, 2),
            "humidity_ratio": round(self._random.uniform(0.6, 0.7), 3),
            "door_open": float(self._random.random() < DOOR_OPEN_RATE),
            "battery_v": round(battery_v, 3),
        }
