"""A short form of the benchmarks: what `make bench` measures must still run and say what it did."""

import json
from typing import Any

import pytest

from waystock_demo.bench import command, flat, fleet_live, gateway, latency
from waystock_demo.bench.draining import Drain
from waystock_demo.bench.result import BenchResult


def _bench(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert command.run([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(told) == set(BenchResult.__struct_fields__)
    assert told["ratio"] == pytest.approx(told["ours"] / told["limit"])
    assert told["ours"] > 0
    return told


@pytest.mark.parametrize("name", ["ingest", "ingest-one-by-one"])
def test_a_drained_backlog_is_stored_whole_and_told_as_a_ratio_to_copy(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _bench(capsys, name, "--events", "3000")
    assert told["details"]["events"] == 3_000
    assert len(told["details"]["quarters_events_per_s"]) == 4


def test_the_age_of_what_a_screen_shows_is_told_beside_the_brokers_round_trip(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(latency, "WARM_UP_S", 2.0)
    told = _bench(capsys, "latency", "--seconds", "3")
    details = told["details"]
    assert details["events_stored"] == details["events_sent"] == 10_000
    assert details["states_shown"] > 500
    assert 0 < details["transit_p50_ms"] <= details["transit_p99_ms"]
    assert details["change_to_screen_p50_ms"] < details["capture_to_screen_p50_ms"]


def test_a_large_company_is_measured_beside_a_small_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "ROWS_FEW": 2_000, "ROWS_MANY": 40_000, "VEHICLES_FEW": 5, "VEHICLES_MANY": 200,
        "ROUNDS": 1,
    }.items():  # fmt: skip
        monkeypatch.setattr(flat, name, value)
    assert _bench(capsys, "flat-rows", "--events", "4000")["details"]["rows_many"] == 40_000
    assert _bench(capsys, "flat-devices", "--events", "4000")["details"]["events_each"] == 4_000


def test_each_processs_share_of_the_cores_is_told_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fleet_live, "WARM_UP_S", 1.0)
    details = _bench(capsys, "fleet-live", "--events", "500", "--seconds", "4")["details"]
    assert details["events_stored"] == details["events_sent"] > 200
    for process in ("ingest", "api", "postgres", "nats-server", "publisher_and_screen"):
        assert details[f"{process}_cores"] > 0, process


def test_a_truck_that_parks_at_an_edge_makes_few_false_events_and_no_stay_is_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = _bench(capsys, "flapping", "--events", "3")
    assert told["ours"] <= told["limit"]
    assert told["details"]["missed"] == 0
    assert told["details"]["clear_parked_raw_per_day"] > 300


def test_a_gateway_is_measured_beside_bare_sqlite_and_bare_paho(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gateway, "SETTLE_S", 0.0)
    told = _bench(capsys, "gateway", "--events", "2000", "--seconds", "1")
    details = told["details"]
    assert details["readings"] == 2_000
    assert details["broker_ratio"] > 0
    assert details["readings_per_commit"] >= 1


def test_the_time_that_ingest_needs_to_begin_counts() -> None:
    drained = Drain(1_000, 4.0, [(1.0, 0), (2.0, 500), (4.0, 1_000)], 1.0)
    assert drained.rate() == 250
    assert drained.rate(0.5, 1.0) == 250
    assert drained.rate(0.0, 0.25) == pytest.approx(250 / 1.5)
    assert drained.steady_rate() == 250


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.run(["no-such-bench"])
    assert ended.value.code == 2
    assert "ingest-one-by-one" in capsys.readouterr().err


def test_arrivals_on_a_made_up_lane_are_told_far_better_than_at_a_constant_speed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = _bench(capsys, "eta", "--events", "1")
    assert told["ratio"] > 1.5
    assert told["details"]["learned_p50"] > told["limit"]
