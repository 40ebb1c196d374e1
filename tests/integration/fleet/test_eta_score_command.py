"""`waystock fleet eta-score` on files as users have them."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from waystock.fleet.command import run
from waystock_demo.bench.made_up_lanes import BUS, Arrival, Fix, Lane

FIX_HEADER = "device,time,lat,lon"
ARRIVAL_HEADER = "trip,stop,lat,lon,arrived_at"


@pytest.fixture(scope="module")
def recorded() -> tuple[list[Fix], list[Arrival]]:
    return Lane("bus", BUS._replace(headway_s=3600.0), 5).run(1)


def _write(folder: Path, fixes: list[str], arrivals: list[str]) -> list[str]:
    paths = folder / "fixes.csv", folder / "arrivals.csv"
    paths[0].write_text("\n".join([FIX_HEADER, *fixes]))
    paths[1].write_text("\n".join([ARRIVAL_HEADER, *arrivals]))
    return ["eta-score", str(paths[0]), "--arrivals", str(paths[1])]


def _epoch(one: Fix | Arrival) -> str:
    return f"{one.time_s:.3f}"


def _east(one: Fix | Arrival) -> str:
    """The same instant as a clock in China shows it."""
    zone = timezone(timedelta(hours=8))
    return datetime.fromtimestamp(round(one.time_s, 3), UTC).astimezone(zone).isoformat()


def _lines(
    recorded: tuple[list[Fix], list[Arrival]], told: Callable[[Fix | Arrival], str] = _epoch
) -> tuple[list[str], list[str]]:
    fixes = [f"{one.trip},{told(one)},{one.lat:.6f},{one.lon:.6f}" for one in recorded[0]]
    arrivals = [
        f"{one.trip},{one.stop},{one.lat:.6f},{one.lon:.6f},{told(one)}" for one in recorded[1]
    ]
    return fixes, arrivals


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert run(arguments) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _but_counts(line: dict[str, Any]) -> dict[str, Any]:
    """What was scored, without how many lines were not."""
    return {name: value for name, value in line.items() if name not in _COUNTS}


_COUNTS = {"repeated_fixes", "rejects"}


def test_each_model_has_its_score_and_ours_is_the_best(
    recorded: tuple[list[Fix], list[Arrival]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _write(tmp_path, *_lines(recorded))
    found = {
        model: _run([*arguments, "--model", model], capsys)[0]
        for model in ("learned", "constant", "straight")
    }
    assert {line["type"] for line in found.values()} == {"score"}
    assert found["learned"]["overall"] > found["constant"]["overall"]
    assert found["learned"]["overall"] > found["straight"]["overall"]
    assert list(found["learned"]["buckets"]) == ["0-3", "3-6", "6-10", "10-15"]
    assert len({line["n"] for line in found.values()}) == 1


def test_neither_the_order_of_lines_nor_the_way_time_is_written_changes_the_score(
    recorded: tuple[list[Fix], list[Arrival]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = _run(_write(tmp_path, *_lines(recorded)), capsys)
    fixes, arrivals = _lines(recorded, _east)
    random.Random(3).shuffle(fixes)
    random.Random(4).shuffle(arrivals)
    assert _run(_write(tmp_path, fixes, arrivals), capsys) == expected


def test_a_bad_line_is_told_with_its_number_and_costs_no_other(
    recorded: tuple[list[Fix], list[Arrival]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixes, arrivals = _lines(recorded)
    expected = _run(_write(tmp_path, fixes, arrivals), capsys)
    bad = ["bus,s9,95,5,1772409600", "bus,s9,45,5,soon", ",s9,45,5,1772409600", "bus,s9"]
    *rejects, scored = _run(_write(tmp_path, ["x,never,45,5", *fixes], bad + arrivals), capsys)
    assert [(line["type"], line["at"]) for line in rejects] == [
        ("reject", at) for at in (2, 2, 3, 4, 5)
    ]
    assert "95" in rejects[1]["reason"]
    assert scored["rejects"] == 5
    assert _but_counts(scored) == _but_counts(expected[0])


def test_lines_said_twice_count_once(
    recorded: tuple[list[Fix], list[Arrival]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixes, arrivals = _lines(recorded)
    expected = _run(_write(tmp_path, fixes, arrivals), capsys)
    *rejects, scored = _run(_write(tmp_path, fixes + fixes, arrivals + arrivals[-2:]), capsys)
    assert [line["reason"] for line in rejects] == ["the same arrival as on a line before"] * 2
    assert (scored["repeated_fixes"], scored["rejects"]) == (len(fixes), 2)
    assert _but_counts(scored) == _but_counts(expected[0])


def test_a_quote_that_is_never_closed_costs_its_own_line_alone(
    recorded: tuple[list[Fix], list[Arrival]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixes, arrivals = _lines(recorded)
    expected = _run(_write(tmp_path, fixes, arrivals), capsys)
    endless = '"' + "x" * 200_000 + ",s9,45,5,soon"
    *rejects, scored = _run(_write(tmp_path, fixes, ['"bus,s9,45,5', endless, *arrivals]), capsys)
    assert [line["at"] for line in rejects] == [2, 3]
    assert _but_counts(scored) == _but_counts(expected[0])


def test_cells_told_apart_by_semicolons_are_read_as_well(
    recorded: tuple[list[Fix], list[Arrival]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _write(tmp_path, *_lines(recorded))
    expected = _run(arguments, capsys)
    for name in ("fixes.csv", "arrivals.csv"):
        path = tmp_path / name
        path.write_bytes(path.read_text().replace(",", ";").replace("\n", "\r\n").encode())
    assert _run(arguments, capsys) == expected


def test_a_file_without_the_columns_is_refused_with_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _write(tmp_path, [], [])
    (tmp_path / "arrivals.csv").write_text("trip,stop,when\n")
    assert run(arguments) == 2
    assert "lat, lon, arrived_at" in capsys.readouterr().err
    assert run(["eta-score", str(tmp_path / "none.csv"), "--arrivals", arguments[3]]) == 2


def test_files_without_a_common_trip_have_no_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _write(tmp_path, ["a,1772409600,45,5"], ["b,s,45,5,1772409700"])
    assert run(arguments) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["overall"] is None
    assert "1 trips with arrivals have no fix" in printed.err
