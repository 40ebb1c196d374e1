"""The demo as a user starts it: the seeded world through every component, counted at the end."""

import json
import signal
import stat
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.brokers import Broker, nats
from tests.support.demo import demo
from tests.support.postgres import DatabaseServer
from tests.support.processes import is_alive, wait_until

SECONDS = 50
ALERTS = {
    "shipment.late_predicted",
    "vehicle.off_route",
    "load.wrong_vehicle",
    "receipt.short",
    "stock.low",
}
LATENCY_P50_MS_MAX = 1500
"""Generous: other tests may share the machine. The figure itself is in the report."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "state"


@pytest.fixture(scope="module")
def report(state: Path) -> dict[str, Any]:
    """One unattended run, on a machine where the usual ports may be taken."""
    file = state.with_name("report.json")
    seen = state.with_name("then.json")
    then = f'cp "$WAYSTOCK_DEMO_FILE" {seen}'
    with demo(state, "--for", str(SECONDS), "--report", str(file), "--then", then) as running:
        assert running.wait_over(within_s=SECONDS + 240) == 0, running.said()
    report = json.loads(file.read_text())
    print(json.dumps({name: report[name] for name in ("sent", "stored", "latency_ms", "alerts")}))
    return {**report, "then": json.loads(seen.read_text())}


def test_every_reading_that_was_sent_is_stored_once(report: dict[str, Any]) -> None:
    assert report["sent"].keys() >= {"barcode", "rfid", "position"}
    assert report["lost"] == 0, report["lost_sample"]
    assert report["doubled"] == 0, report["doubled_sample"]
    assert report["unsent"] == 0, report["unsent_sample"]


def test_each_of_the_five_things_that_go_wrong_is_told(report: dict[str, Any]) -> None:
    assert report["alerts"].keys() >= ALERTS
    assert report["alerts_missing"] == []


def test_a_healthy_day_logs_no_error_and_restarts_nothing(report: dict[str, Any]) -> None:
    assert report["errors"] == []
    assert report["restarts"] == {}
    assert report["dead_letters"] == 0


def test_readings_reach_the_screen_while_they_matter(report: dict[str, Any]) -> None:
    assert report["shown"]["transit"] > 0
    assert report["shown"]["stock"] > 0
    assert report["latency_ms"]["p50"] < LATENCY_P50_MS_MAX


def test_the_command_at_the_end_finds_everything_still_running(report: dict[str, Any]) -> None:
    assert report["then_status"] == 0
    names = report["then"]["processes"].keys()
    assert {"postgres", "nats", "ingest", "api", "worker"} <= names
    assert any(name.startswith("gateway-") for name in names)


def test_a_second_start_goes_on_with_the_same_history_and_stops_cleanly(
    state: Path, report: dict[str, Any]
) -> None:
    del report  # the run that leaves the state behind
    with demo(state) as running:
        running.wait_ready()
        file = state / "demo.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        processes = [psutil.Process(pid) for pid in running.file()["processes"].values()]
        wait_until(
            lambda: any(one["lat"] is not None for one in running.ask("/api/v1/vehicles")["items"]),
            "a truck is on the map",
            within_s=20,
        )
        movements = running.ask("/api/v1/stock/positions?limit=1000")["items"]
        assert movements
        running.process.send_signal(signal.SIGINT)
        assert running.wait_over(within_s=30) == 0
        assert not file.exists()
        assert not any(is_alive(process) for process in processes)


def test_a_killed_demo_leaves_nothing_running_and_starts_again(
    state: Path, report: dict[str, Any]
) -> None:
    del report
    with demo(state) as running:
        running.wait_ready()
        processes = [psutil.Process(pid) for pid in running.file()["processes"].values()]
        running.process.kill()
        running.process.wait()
        wait_until(
            lambda: not any(is_alive(process) for process in processes),
            "every process of the killed demo is gone",
        )
    with demo(state) as again:
        again.wait_ready()


def test_a_port_that_is_asked_for_and_busy_is_a_clear_error(tmp_path: Path) -> None:
    with (
        nats() as taken,
        demo(tmp_path / "state", "--mqtt-port", str(taken.port)) as running,
    ):
        assert running.wait_over(within_s=20) == 2
        assert f"--mqtt-port {taken.port}" in running.said()


@pytest.mark.timescale
def test_servers_of_the_users_own_take_the_place_of_the_embedded_ones(
    tmp_path: Path, timescale_server: DatabaseServer, mosquitto_broker: Broker
) -> None:
    file = tmp_path / "report.json"
    with (
        timescale_server.empty_database() as database_url,
        demo(
            tmp_path / "state", "--for", "25", "--report", str(file),
            environment={
                "WAYSTOCK_DATABASE_URL": database_url,
                "WAYSTOCK_MQTT_URL": mosquitto_broker.url,
            },
        ) as running,
    ):  # fmt: skip
        running.wait_ready()
        names = running.file()["processes"].keys()
        assert not {"postgres", "nats"} & names
        assert running.wait_over(within_s=180) == 0, running.said()
    report = json.loads(file.read_text())
    assert report["tier"] in {"apache", "full"}
    assert report["sent"].keys() >= {"barcode", "rfid", "position"}
    assert (report["lost"], report["doubled"], report["errors"]) == (0, 0, []), report


def test_two_demos_on_one_folder_are_refused(state: Path, report: dict[str, Any]) -> None:
    del report
    with demo(state) as first:
        wait_until(  # the file of an earlier run lies there: it must be this one's
            lambda: (first.file() or {}).get("supervisor") == first.process.pid,
            "the first one runs",
            within_s=60,
        )
        with demo(state) as second:
            assert second.wait_over(within_s=20) == 2
            assert "another demo" in second.said()
