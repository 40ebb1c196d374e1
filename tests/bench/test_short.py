"""A short form of the benchmarks: what `make bench` measures must still run and say what it did."""

import json

import pytest

from waystock_demo.bench import command, ingest
from waystock_demo.bench.result import BenchResult


def test_a_drained_backlog_is_stored_whole_and_told_as_a_ratio_to_copy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ingest, "EVENTS", 6_000)
    monkeypatch.setattr(ingest, "EVENTS_PER_BATCH", 100)
    assert command.run(["ingest", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(told) == set(BenchResult.__struct_fields__)
    assert told["details"]["events"] == 6_000
    assert told["ratio"] == pytest.approx(told["ours"] / told["limit"])
    assert told["ours"] > 0


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.run(["no-such-bench"])
    assert ended.value.code == 2
    assert "ingest-one-by-one" in capsys.readouterr().err
