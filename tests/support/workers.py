"""Ingest as real processes that can be killed, started again, measured and scraped."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.support.processes import wait_until
from waystock_demo.ports import free_port
from waystock_demo.process import Command, Process, start, stop

WAYSTOCK = str(Path(sys.executable).with_name("waystock"))


class Worker:
    """One `waystock ingest`, the same settings at each start."""

    def __init__(
        self, name: str, database_url: str, broker_url: str, folder: Path, group: str | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.metrics_port = free_port()
        shared = () if group is None else ("--shared", group)
        port = ("--metrics-port", str(self.metrics_port))
        environment = {"WAYSTOCK_DATABASE_URL": database_url, "WAYSTOCK_MQTT_URL": broker_url}
        self._command = Command(
            name=name,
            argv=(WAYSTOCK, "ingest", "--worker", name, *port, *shared),
            env={**os.environ, **environment},
        )
        self._process: Process | None = None

    def start(self) -> None:
        """Start it; it need not be there yet when this returns."""
        with self.log.open("ab") as output:
            self._process = start(self._command, output)

    def wait_listening(self, within_s: float = 90) -> None:
        """Until it has said for the first time that the broker took its subscription."""
        wait_until(lambda: self.said("ingest_listening"), "it listens", within_s=within_s)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> bool:
        """Whether it ended by itself when asked."""
        assert self._process is not None
        return stop(self._process, self._command.stop_signal)

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def rss_mb(self) -> float:
        assert self._process is not None
        return psutil.Process(self._process.pid).memory_info().rss / 1e6

    def said(self, event: str) -> int:
        """How often an event stands in its log."""
        return self.log.read_text(errors="replace").count(event)

    def metrics(self) -> Mapping[str, float]:
        """What Prometheus would get: `name{label="value",…}` → value. Raises httpx.HTTPError."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5).text
        return {
            _series(sample.name, sample.labels): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


def _series(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
    return f"{name}{{{inside}}}" if inside else name
