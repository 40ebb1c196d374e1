"""`waystock bench gateway`: how many codes a second come from serial ports into the gateway's
outbox, each on disk (fsync), beside a bare SQLite file; how many get to a broker, beside bare paho;
and what the gateway takes of the processor while eight ports are quiet.
"""

import json
import os
import pty
import re
import threading
import time
import tty
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage

from waystock.contract.acks import Ack, encode
from waystock.contract.events import Barcode, decode_batch_envelope, encode_event
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.processes import peak_rss_mb
from waystock_demo.bench.publishing import PUBLISHES_IN_FLIGHT, connected_client, leave
from waystock_demo.bench.raw_sqlite import insert_rate
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import mosquitto, nats, running, scratch_folder
from waystock_demo.process import Command, Process
from waystock_demo.services import waystock

CODES, PORTS, QUIET_PORTS = 60_000, 4, 8
QUIET_S, SETTLE_S = 12.0, 3.0
WITHIN_S = 180.0
BUSY_REPORT_S = 0.1
QUIET_REPORT_S = 30.0
NOWHERE = "mqtt://127.0.0.1:9"
TOPIC = "waystock/v1/bench/gw-1"
_AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
_BODY = encode_event(
    Barcode(device="scan-0", time=_AT, captured_at=_AT, format="text", data="0-000000")
)
_POLL_S = 0.01


def run(options: BenchOptions) -> BenchResult:
    """`ours` and `limit`: readings a second into the outbox, and rows into bare SQLite."""
    codes = options.events or CODES
    with scratch_folder() as folder:
        rate, rows_per_commit, rss_mb = _port_to_outbox(folder / "kept", codes)
        raw_rate = insert_rate(folder / "raw.sqlite", _BODY, codes, rows_per_commit)
        with {"nats": nats, "mosquitto": mosquitto}[options.broker](folder) as url:
            taken = _port_to_broker(folder / "sent", url, codes)
            paho_rate = _paho_rate(url, taken)
            idle_share = _idle_share(folder / "quiet", url, options.seconds or QUIET_S)
    return BenchResult(
        name="gateway",
        ours=rate,
        limit=raw_rate,
        ratio=rate / raw_rate,
        unit="readings/s",
        details={
            "readings": float(codes),
            "ports": float(PORTS),
            "readings_per_commit": float(rows_per_commit),
            "busy_rss_mb": rss_mb,
            "port_to_broker_per_s": taken.rate,
            "raw_paho_per_s": paho_rate,
            "broker_ratio": taken.rate / paho_rate,
            "readings_per_batch": codes / len(taken.payload_bytes),
            "quiet_cpu_percent": idle_share * 100,
        },
    )


def _port_to_outbox(folder: Path, codes: int) -> tuple[float, int, float]:
    """Readings a second, readings in a commit, memory in MB; nobody takes anything away."""
    with _gateway(folder, NOWHERE, PORTS, BUSY_REPORT_S) as (process, ports):
        began_s = time.monotonic()
        with _scanning(ports, codes):
            _await(process, lambda: _report(folder)["readings_stored"] >= codes, "all is kept")
            rate = codes / (time.monotonic() - began_s)
        commits = _report(folder)["commits"]
        return rate, max(1, round(codes / commits)), peak_rss_mb(process)


def _port_to_broker(folder: Path, url: str, codes: int) -> "_Taker":
    """All codes through port, outbox and uplink to a subscriber that acknowledges them."""
    client = connected_client(url)
    taker = _Taker(client)
    with _gateway(folder, url, PORTS, QUIET_REPORT_S) as (process, ports):
        _await(process, lambda: taker.statuses > 0, "it is connected")
        began_s = time.monotonic()
        with _scanning(ports, codes):
            _await(process, lambda: taker.readings >= codes, "all has arrived")
        taker.rate = taker.readings / (time.monotonic() - began_s)
    leave(client)
    return taker


class _Taker:
    """Stands for ingest: counts scans and says that they are stored."""

    def __init__(self, client: Client) -> None:
        self.readings = self.statuses = 0
        self.rate = 0.0
        self.payload_bytes: list[int] = []
        client.on_message = self._on_message
        client.subscribe([(f"{TOPIC}/events", 1), (f"{TOPIC}/status", 1)])

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic.endswith("/status"):
            self.statuses += 1
            return
        batch = decode_batch_envelope(bytes(message.payload))
        self.payload_bytes.append(len(message.payload))
        self.readings += sum(b'"barcode"' in bytes(event) for event in batch.events)
        committed = ((batch.first, batch.first + len(batch.events)),)
        client.publish(f"{TOPIC}/ack", encode(Ack(stream=batch.stream, committed=committed)), 1)


def _paho_rate(url: str, taken: _Taker) -> float:
    """Readings a second if bare paho publishes messages of the same sizes, until a subscriber has
    them all."""
    client, window = connected_client(url), threading.Semaphore(PUBLISHES_IN_FLIGHT)
    reader, arrived = connected_client(url), threading.Semaphore(0)
    reader.on_message = lambda client, data, message: arrived.release()
    subscribed = threading.Event()
    reader.on_subscribe = lambda client, data, mid, reasons, properties: subscribed.set()
    reader.subscribe("bench/raw", qos=1)
    if not subscribed.wait(WITHIN_S):
        raise RuntimeError("bare paho's subscription was not confirmed")
    client.on_publish = lambda client, data, mid, reason, properties: window.release()
    began_s = time.monotonic()
    for size in taken.payload_bytes:
        window.acquire()
        client.publish("bench/raw", b"x" * size, 1)
    for _ in taken.payload_bytes:
        if not arrived.acquire(timeout=WITHIN_S):
            raise RuntimeError("bare paho's messages did not arrive")
    seconds = time.monotonic() - began_s
    leave(client)
    leave(reader)
    return taken.readings / seconds


def _idle_share(folder: Path, url: str, seconds: float) -> float:
    """Processor time over wall time with quiet ports and a connected uplink."""
    with _gateway(folder, url, QUIET_PORTS, QUIET_REPORT_S) as (process, _):
        time.sleep(SETTLE_S)
        before_s, began_s = _cpu_s(process), time.monotonic()
        time.sleep(seconds)
        return (_cpu_s(process) - before_s) / (time.monotonic() - began_s)


@contextmanager
def _gateway(
    folder: Path, url: str, count: int, report_s: float
) -> Generator[tuple[Process, Sequence[int]]]:
    """A gateway process with `count` scanners' ports: their device ends."""
    folder.mkdir()
    with ExitStack() as stack:
        lines = [
            f'[gateway]\nsite = "bench"\ngateway = "gw-1"\ndata_dir = "{folder}"',
            f'health_s = {report_s}\n[uplink]\nurl = "{url}"',
        ]
        ports: list[int] = []
        for number in range(count):
            ours, theirs = pty.openpty()
            tty.setraw(theirs)
            stack.callback(os.close, ours)
            stack.callback(os.close, theirs)
            ports.append(ours)
            lines.append(f'[[ports]]\ndevice = "scan-{number}"\ndecoder = "barcode"')
            lines.append(f'path = "{os.ttyname(theirs)}"')
            lines.append("[ports.barcode]\nrepeat_window_s = 0")
        config = folder / "gateway.toml"
        config.write_text("\n".join(lines) + "\n")
        command = Command(name="gateway", argv=waystock("gateway", "run", "--config", str(config)))
        with running(command, folder) as process:
            _await(process, (folder / "status.json").exists, "it runs")
            yield process, ports


@contextmanager
def _scanning(ports: Sequence[int], codes: int) -> Generator[None]:
    """Each port's share of the codes, as fast as the port takes them."""
    share = -(-codes // len(ports))
    threads = [
        threading.Thread(target=_scan, args=(fd, number, min(share, codes - share * number)))
        for number, fd in enumerate(ports)
    ]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def _scan(fd: int, number: int, codes: int) -> None:
    text = b"".join(b"%d-%06d\r" % (number, code) for code in range(codes))
    while text:
        text = text[os.write(fd, text[:4096]) :]


def _report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "status.json").read_bytes())
    return found


def _await(process: Process, condition: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not condition():
        if process.poll() is not None or time.monotonic() > until_s:
            raise RuntimeError(f"the gateway: not within {WITHIN_S:.0f} s: {what}")
        time.sleep(_POLL_S)


def _cpu_s(process: Process) -> float:
    """User and system time of a running process."""
    fields = re.sub(r".*\) ", "", Path(f"/proc/{process.pid}/stat").read_text()).split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
