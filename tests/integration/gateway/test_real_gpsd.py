"""A real gpsd between a receiver and the gateway, where this machine has one (Debian: `apt-get
install gpsd`; elsewhere WAYSTOCK_TEST_GPSD names the program).
"""

import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig, PtyDevice
from tests.support.processes import running, wait_until
from waystock_demo.process import Command
from waystock_firmware_sim.protocol import nmea

GPSD = os.environ.get("WAYSTOCK_TEST_GPSD") or shutil.which("gpsd", path="/usr/sbin:/usr/bin")
FIXES = 6


@contextmanager
def gpsd_with_receiver(folder: Path, port: int) -> Generator[PtyDevice]:
    assert GPSD is not None
    receiver = PtyDevice(folder / "receiver")
    argv = (GPSD, "-N", "-n", "-b", "-S", str(port), str(receiver.path.resolve()))
    with running(Command(name="gpsd", argv=argv), folder / "gpsd.log"):
        yield receiver
    receiver.unplug()


@pytest.mark.skipif(GPSD is None, reason="no gpsd on this machine (WAYSTOCK_TEST_GPSD)")
def test_a_receiver_behind_a_real_gpsd_is_read(
    rig: GatewayRig, ingest: FakeIngest, tmp_path: Path, free_port: int
) -> None:
    rig.add_tcp_port("gps-1", "gpsd", f"tcp://127.0.0.1:{free_port}")
    began = datetime.now(UTC).replace(microsecond=0)
    with gpsd_with_receiver(tmp_path, free_port) as receiver, rig.running():
        rig.wait_until_up(ingest)
        for second in range(60):
            fix = nmea.Fix(
                time=began + timedelta(seconds=second),
                lat=31.2304,
                lon=121.4737 + second / 10_000,
                speed_mps=11.1,
                course_deg_true=90.0,
                altitude_m=14.2,
                hdop=0.9,
                satellites=7,
            )
            receiver.send(b"".join(nmea.sentences(fix, "GP", ("RMC", "GGA", "VTG"))))
            # Half a second between bursts is how gpsd knows that one is over.
            time.sleep(0.5)
            if len(ingest.positions()) >= FIXES:
                break
        wait_until(lambda: len(ingest.positions()) >= FIXES, "fixes are in")
    for position in ingest.positions():
        step = round((position.time - began).total_seconds())
        assert position.lat == pytest.approx(31.2304, abs=1e-7)
        assert position.lon == pytest.approx(121.4737 + step / 10_000, abs=1e-7)
        assert (position.speed_mps, position.course_deg_true) == (11.1, 90.0)
        assert (position.altitude_m, position.clock) == (14.2, "gps")
