"""`waystock fleet replay`: trips and stops a dispatcher can bill, from recordings as they are."""

import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from .recordings import Replay, clock, csv, each_minute, iso, row


def test_three_kilometres_from_the_second_to_the_fifth_minute_are_one_trip(replay: Replay) -> None:
    metres = [0, 0, 0, 1000, 2000, 3000, 3000, 3000, 3000]
    told = replay(csv(each_minute("v1", metres)))
    assert told.status == 0
    (trip,) = told.of("trip")
    assert (trip["start"], trip["end"], trip["open"]) == (clock("00:02"), clock("00:05"), False)
    assert trip["distance_m"] == pytest.approx(3000, rel=1e-5)
    (stop,) = told.of("stop")
    assert (stop["vehicle"], stop["start"]) == ("v1", clock("00:05"))


def test_a_recording_that_ends_too_soon_after_a_trip_tells_its_end_all_the_same(
    replay: Replay,
) -> None:
    (trip,) = replay(csv(each_minute("v1", [0, 0, 0, 1000, 2000, 3000, 3000]))).of("trip")
    assert (trip["start"], trip["end"]) == (clock("00:02"), clock("00:05"))
    assert trip["distance_m"] == pytest.approx(3000, rel=1e-5)
    assert trip["open"] is True


def test_a_silence_of_more_than_an_hour_ends_the_trip_at_its_last_fix(replay: Replay) -> None:
    before = each_minute("v1", [900.0 * i for i in range(6)])
    after = each_minute("v1", [20_000 + 900.0 * i for i in range(6)], from_s=300 + 3601)
    first, second = replay(csv(before + after)).of("trip")
    assert (first["start"], first["end"]) == (iso(0), iso(300))
    assert (second["start"], second["end"]) == (iso(3901), iso(4201))
    assert first["distance_m"] == pytest.approx(4500, rel=1e-5)


@pytest.mark.parametrize("hours", [0.4, 3.0])
@pytest.mark.parametrize("exit_m", [0.0, 80.0, 300.0])
def test_a_car_that_parks_underground_makes_two_trips(
    replay: Replay, hours: float, exit_m: float
) -> None:
    up_s = 600 + hours * 3600
    rows = [row("v1", i, 12.0 * i) for i in range(0, 600, 5)]
    rows += [row("v1", up_s + i, 7200 + exit_m + 12.0 * i) for i in range(0, 600, 5)]
    first, second = replay(csv(rows)).of("trip")
    assert first["end"] == iso(595)
    assert second["start"] == iso(up_s)
    assert second["distance_m"] == pytest.approx(7140, rel=1e-3)


@pytest.mark.parametrize("every_s", [5, 30])
def test_a_parked_truck_whose_fixes_wander_and_jump_makes_no_trip_in_a_day(
    replay: Replay, every_s: int
) -> None:
    chance = random.Random(every_s)
    rows: list[str] = []
    east = north = thrown_m = 0.0
    thrown = 0
    for second in range(0, 86_400, every_s):
        pull, kick = every_s / 300, 30 * math.sqrt(2 * every_s / 300)
        east += -pull * east + chance.gauss(0, kick)
        north += -pull * north + chance.gauss(0, kick)
        if thrown == 0 and chance.random() < 0.002:
            # A wall throws some fixes aside, all of them to one place.
            thrown, thrown_m = chance.randint(1, 3), chance.uniform(200, 350)
        rows.append(row("v1", second, east + (thrown_m if thrown else 0.0), north))
        thrown = max(0, thrown - 1)
    told = replay(csv(rows))
    assert told.of("trip") == []
    assert len(told.of("stop")) == 1


def test_a_move_of_three_hundred_metres_between_two_stands_is_a_trip(replay: Replay) -> None:
    (trip,) = replay(csv(each_minute("v1", [0, 0, 0, 0, 300, 300, 300, 300, 300]))).of("trip")
    assert (trip["start"], trip["end"]) == (clock("00:03"), clock("00:04"))


def test_jumps_doubles_poor_and_future_fixes_are_marked_and_change_nothing(replay: Replay) -> None:
    header = "device,time,lat,lon,accuracy"
    good = [row("v1", 5 * i, 60.0 * i, 0.0, 6) for i in range(120)]
    bad = [
        row("v1", 302, 90_000.0, 0.0, 6),
        row("v1", 407, 100.0, 0.0, 201),
        row("v1", 300, 60.0 * 60, 0.0, 60),
        row("v1", 3 * 86_400, 0.0, 0.0, 6),
    ]
    clean = replay(csv(good, header), "--as-of", iso(3600))
    told = replay(csv(good[:61] + bad + good[60:], header), "--as-of", iso(3600), "--marks")
    marks = told.of("mark")
    assert {line["mark"] for line in marks} == {"teleport", "low_accuracy", "future_time"}
    assert [line for line in told.lines if line["type"] != "mark"] == clean.lines
    assert "1 fixes marked teleport" in told.errors


def test_a_clock_that_is_behind_the_whole_recording_does_not_empty_it(replay: Replay) -> None:
    rows = csv(each_minute("v1", [0, 0, 0, 1000, 2000, 3000, 3000]))
    assert len(replay(rows, "--as-of", "2001-01-01T00:00:00Z").of("trip")) == 1


def test_shuffled_doubled_and_interleaved_lines_tell_the_same(replay: Replay) -> None:
    chance = random.Random(5)
    route = {"type": "LineString", "coordinates": [[11.0, 48.0], [11.3, 48.0]]}
    routes = replay.features("routes.json", [({"vehicle": "v2"}, route)])
    rows: list[str] = []
    for vehicle in ("v1", "v2", "Bus 7/ÄÖ"):
        rows += [
            row(vehicle, 10 * i, 80.0 * min(i, 90) + chance.gauss(0, 4), chance.gauss(0, 60))
            for i in range(200)
        ]
    whole = replay(csv(rows), "--routes", routes)
    assert {line["type"] for line in whole.lines} >= {"trip", "stop", "eta"}
    mixed = rows + chance.sample(rows, 150)
    chance.shuffle(mixed)
    assert replay(csv(mixed), "--routes", routes).lines == whole.lines


def test_columns_in_any_order_offsets_epochs_and_units_are_understood(replay: Replay) -> None:
    rows = [
        "x,11.00,48,v1,2026-11-23T08:00:00+08:00,36",
        "x,11.02,48,v1,2026-11-23 00:01:00,36",
        "x,11.04,48,v1,1795392120,36",
        "x,11.06,48,v1,1795392180000,36",
    ]
    text = "\ufeff" + csv(rows, "note,lon,lat,device,time,speed").replace("\n", "\r\n")
    (trip,) = replay(text, "--speed-unit", "kmh").of("trip")
    assert (trip["start"], trip["end"]) == (iso(0), iso(180))


def test_lines_that_are_no_fixes_are_told_with_their_numbers_and_cost_no_other(
    replay: Replay,
) -> None:
    good = each_minute("v1", [0, 0, 0, 1000, 2000, 3000, 3000])
    bad = ["v1,soon,48,11", "v1,2026-11-23T00:00:00Z,91,11", ",,,", 'v1,"2026-11-23', "garbage"]
    told = replay(csv(good[:3] + bad + good[3:]))
    assert told.status == 0
    rejects = [line for line in told.lines if line["type"] == "reject"]
    assert [line["at"] for line in rejects] == [5, 6, 7, 8, 9]
    assert rejects[0]["raw"] == bad[0]
    assert rejects[1]["reason"] == "lat 91 is not within 90 degrees"
    assert len(told.of("trip")) == 1
    assert "5 refused, the first at 5" in told.errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.csv"], "No such file"),
        (["FILE", "--routes", "nowhere.json"], "No such file"),
        (["FILE", "--as-of", "soon"], "'soon'"),
        (["FILE", "--set", "nothing=3"], "'nothing'"),
        (["FILE", "--set", "stop_window_s=1e9"], "stop_window_s"),
    ],
)
def test_unusable_arguments_are_said_and_the_status_is_two(
    replay: Replay, arguments: list[str], said: str
) -> None:
    file = replay.write("some.csv", csv(each_minute("v1", [0, 0])))
    first, *rest = [str(file) if one == "FILE" else one for one in arguments]
    told = replay(Path(first), *rest)
    assert (told.status, told.lines) == (2, [])
    assert said in told.errors


def test_a_file_without_the_columns_is_refused_by_what_it_lacks(replay: Replay) -> None:
    told = replay("id,when\n1,2\n")
    assert told.status == 2
    assert "device, time, lat, lon" in told.errors


def test_a_rules_number_can_be_set(replay: Replay) -> None:
    rows = csv(each_minute("v1", [0, 0, 0, 0, 300, 300, 300, 300, 300]))
    assert replay(rows, "--set", "depart_m=350").of("trip") == []


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(replay: Replay) -> None:
    rows = [
        line
        for vehicle in range(400)
        for line in each_minute(f"v{vehicle}", [0, 0, 0, 1000, 2000, 3000, 3000, 3000, 3000, 0, 0])
    ]
    file = replay.write("many.csv", csv(rows))
    waystock = Path(sys.executable).with_name("waystock")
    errors = replay.folder / "errors"
    script = f"{waystock} fleet replay {file} 2>{errors} | head -n 1"
    ran = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert ran.stdout.count(b"\n") == 1
    assert errors.read_text() == ""
