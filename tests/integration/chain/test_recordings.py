"""Recordings of real receivers, byte by byte through a pseudo-terminal and the whole chain: the
gateway, the broker, ingest, store. The rows are what the reference daemon understood.
"""

import os
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import psycopg

from tests.integration.gateway.rig import GatewayRig, PtyDevice
from tests.support.brokers import Broker
from tests.support.processes import running, wait_until
from tests.support.recordings import (
    LOGS,
    disagreements,
    height_disagreements,
    instant_key,
    last_word_disagreements,
    motion_disagreements,
    needs_recordings,
)
from waystock_demo.process import Command


class Row(NamedTuple):
    lat: float
    lon: float
    speed_mps: float | None
    course_deg_true: float | None
    altitude_m: float | None


def send_byte_by_byte(device: PtyDevice, data: bytes) -> None:
    for at in range(len(data)):
        device.send(data[at : at + 1])


def stored(database_url: str, log: Path) -> dict[str, Row]:
    with psycopg.connect(database_url, options="-c timezone=UTC") as connection:
        rows = connection.execute(
            "SELECT time, lat, lon, speed_mps, course_deg_true, altitude_m FROM fix"
            " WHERE device = %s",
            (device_name(log),),
        ).fetchall()
    return {instant_key(log, row[0]): Row(*row[1:]) for row in rows}


def device_name(log: Path) -> str:
    return log.stem.lower().replace("_", "-")


@needs_recordings
def test_each_recording_ends_as_the_rows_that_the_daemon_understood(
    database_url: str, nats_broker: Broker, tmp_path: Path
) -> None:
    rig = GatewayRig(tmp_path, nats_broker.url)
    ports = {log: rig.add_port(device_name(log), "nmea") for log in LOGS}
    environment = {
        **os.environ,
        "WAYSTOCK_DATABASE_URL": database_url,
        "WAYSTOCK_MQTT_URL": nats_broker.url,
    }
    waystock = str(Path(sys.executable).with_name("waystock"))
    ingest = Command(name="ingest", argv=(waystock, "ingest"), env=environment)
    with running(ingest, tmp_path / "ingest.log"), rig.running():
        writers = [
            threading.Thread(target=send_byte_by_byte, args=(port, log.read_bytes()))
            for log, port in ports.items()
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        for log in LOGS:
            wait_until(
                lambda log=log: not disagreements(log, stored(database_url, log)),
                f"every fix of {log.name} is stored",
                within_s=60,
                every_s=0.5,
            )
    for log in LOGS:
        rows = stored(database_url, log)
        assert disagreements(log, rows) == [], log.name
        assert last_word_disagreements(log, rows) == [], log.name
        assert motion_disagreements(log, rows) == [], log.name
        assert height_disagreements(log, rows) == [], log.name
