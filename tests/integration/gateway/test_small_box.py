"""What the gateway asks of a small box: disk for its install, memory while it runs."""

import itertools
import threading
import time
from pathlib import Path

import psutil

from tests.integration.gateway.rig import FakeIngest, GatewayRig, PtyDevice
from tests.integration.gateway.test_gateway_process import NOTICE
from tests.support.installed import closure, installed_bytes
from tests.support.processes import wait_until

ROOT = Path(__file__).parents[3]
SOURCES = {
    "waystock-core": ROOT / "core" / "waystock",
    "waystock-gateway": ROOT / "gateway" / "waystock_gateway",
}
INSTALL_BYTES_MAX = 10_000_000
RSS_BYTES_MAX = 60_000_000
BUSY_S = 3.0


def test_the_gateway_s_install_fits_a_small_box_and_brings_no_server_package() -> None:
    needed = closure("waystock-gateway")
    sizes = {name: installed_bytes(one, SOURCES.get(name)) for name, one in needed.items()}
    assert not {"psycopg", "fastapi", "shapely", "numpy", "numba"} & needed.keys()
    assert sum(sizes.values()) < INSTALL_BYTES_MAX, sizes
    assert sum(sizes.values()) > 2_000_000, "it counts what is there"


def test_eight_busy_ports_need_little_memory(rig: GatewayRig, ingest: FakeIngest) -> None:
    scanners = [rig.add_scanner(f"scan-{n}") for n in range(4)]
    gps = [rig.add_port(f"gps-{n}", "nmea") for n in range(3)]
    reader = rig.add_port("rfid-1", "r200", "absence_s = 0.3")
    with rig.running() as process:
        rig.wait_until_up(ingest)
        busy = threading.Event()
        talkers = [threading.Thread(target=_talk, args=(port, busy)) for port in gps]
        talkers.append(threading.Thread(target=_repeat, args=(reader, busy)))
        for talker in talkers:
            talker.start()
        until_s = time.monotonic() + BUSY_S
        scans = 0
        while time.monotonic() < until_s:
            for scanner in scanners:
                scanner.scan(f"]C1010950110153000310LOT{scans}")
                scans += 1
        rss_bytes = psutil.Process(process.pid).memory_info().rss
        busy.set()
        for talker in talkers:
            talker.join()
        wait_until(lambda: len(ingest.codes()) == scans, "all scans are in", within_s=20)
        wait_until(lambda: len(ingest.positions()) > 20, "so are the fixes")
    print({"rss_mb": rss_bytes / 1e6, "scans": scans, "fixes": len(ingest.positions())})
    assert rss_bytes < RSS_BYTES_MAX


def _talk(port: PtyDevice, over: threading.Event) -> None:
    """Ten fixes a second."""
    for tick in itertools.count():
        if over.wait(0.1):
            return
        minute, second = divmod(tick // 10 % 3600, 60)
        clock = f"14{minute:02}{second:02}.{tick % 10}0"
        body = f"GPRMC,{clock},A,4002.10513,N,07531.20562,W,0.016,,241026,,,A"
        checksum = 0
        for character in body.encode():
            checksum ^= character
        port.send(f"${body}*{checksum:02X}\r\n".encode())


def _repeat(port: PtyDevice, over: threading.Event) -> None:
    while not over.wait(0.01):
        port.send(NOTICE)
        port.receive(0)
