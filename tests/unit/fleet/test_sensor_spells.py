"""A load is out of its band from the first reading that says so to the first that does not."""

from waystock.fleet.sensor_spells import (
    Band,
    SensorReading,
    Spell,
    Trip,
    lasting,
    on_the_road,
    spells_of,
)

from .tracks import at

COLD = Band(2.0, 8.0, gap_s=600.0)


def readings(*values: tuple[float, float]) -> list[SensorReading]:
    return [SensorReading(at(second), at(second), value) for second, value in values]


def test_a_spell_keeps_its_worst_reading_on_either_side() -> None:
    warm, cold = spells_of(
        readings((0, 5), (60, 9), (120, 11), (180, 10), (240, 5), (300, 1), (360, -3), (420, 2)),
        COLD,
    )
    assert (warm.opened_at, warm.last_at, warm.ended_at) == (at(60), at(180), at(240))
    assert (warm.worst, warm.captured_at) == (11, at(120))
    assert (cold.opened_at, cold.ended_at, cold.worst) == (at(300), at(420), -3)


def test_a_silence_ends_a_spell_at_its_last_reading() -> None:
    first, second = spells_of(readings((0, 9), (60, 9), (1000, 9)), COLD)
    assert (first.ended_at, second.opened_at, second.ended_at) == (at(60), at(1000), None)


def test_one_that_runs_already_goes_on_from_where_it_began() -> None:
    running = Spell(at(-9000), at(-60), None, 12.0, at(-5000))
    (spell,) = spells_of(readings((0, 9), (60, 5)), COLD, running)
    assert spell == Spell(at(-9000), at(0), at(60), 12.0, at(-5000))


def test_what_is_short_is_not_told() -> None:
    short, long = spells_of(readings((0, 9), (200, 5), (300, 9), (700, 9), (800, 5)), COLD)
    assert lasting([short, long], 300.0) == [long]
    assert lasting([short, long], 0.0) == [short, long]


def test_of_an_open_door_the_parts_on_the_road_count() -> None:
    door = Spell(at(100), at(900), at(1000), 1.0, at(100))
    trips = [Trip(at(0), at(200)), Trip(at(400), at(430)), Trip(at(600), None)]
    parts = on_the_road([door], trips, 60.0)
    assert [(one.opened_at, one.ended_at) for one in parts] == [
        (at(100), at(200)),
        (at(600), at(1000)),
    ]
    still_open = door._replace(ended_at=None)
    assert on_the_road([still_open], trips[2:], 60.0)[0].ended_at is None
    assert on_the_road([still_open], trips[2:], 301.0) == []
