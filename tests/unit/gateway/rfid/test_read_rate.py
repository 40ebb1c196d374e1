"""How long a tag may go unheard: too short says that stock left, too long that it is there."""

from random import Random

import pytest

from waystock_gateway.sessions.read_rate import ROUNDS_KEPT, ReadRate, Windows

ROUND_S = 0.1
WINDOWS = Windows.of(ROUND_S, 1e-5, 0.2, 60.0)


def heard(pattern: str) -> ReadRate:
    """`x` is a round with a read, `.` one without."""
    rate = ReadRate()
    for number, round_ in enumerate(pattern):
        if round_ == "x":
            rate.hear(number * ROUND_S + 0.05, WINDOWS)
    return rate


def window_s(pattern: str) -> float:
    return heard(pattern).window_s(WINDOWS)


def test_a_tag_that_is_heard_badly_may_go_unheard_for_longer() -> None:
    seldom, often, always = (window_s(one * 16) for one in ("...x", ".x.x", "xxxx"))
    assert seldom > 1.5 * often > 2.5 * always


def test_what_is_hardly_known_is_not_taken_for_gone_soon() -> None:
    assert window_s("x") > window_s("xxxx" * 16)


@pytest.mark.parametrize("read_rate", [0.3, 0.65, 0.95])
def test_a_present_tag_is_missed_throughout_its_window_as_seldom_as_was_asked(
    read_rate: float,
) -> None:
    dice = Random(7)
    rounds, silent, departures, rate = 200_000, 0, 0, ReadRate()
    for number in range(rounds):
        silent += 1
        if dice.random() < read_rate:
            rate.hear(number * ROUND_S + 0.05, WINDOWS)
            silent = 0
        elif silent * ROUND_S >= rate.window_s(WINDOWS):
            departures += 1
            silent = 0
    assert departures <= 6


def test_a_worse_place_is_noticed_at_once_and_a_better_one_only_when_it_is_sure() -> None:
    well, badly = "xxx." * 12, "x..." * 4
    assert window_s(well + badly) > 1.5 * window_s(well)
    assert window_s(badly * 3 + "xxx." * 4) > window_s(well + "xxx." * 4)


def test_stray_reads_of_a_tag_that_was_heard_well_don_t_hold_it() -> None:
    well = "xxx." * 12
    assert window_s(well + "..............." + "x") <= 0.7 * window_s(well)


def test_reads_of_several_antennas_in_one_round_say_nothing_new() -> None:
    once, thrice = ReadRate(), ReadRate()
    for number in range(ROUNDS_KEPT):
        if number % 3 == 0:
            once.hear(number * ROUND_S + 0.01, WINDOWS)
            for late_s in (0.01, 0.04, 0.08):
                thrice.hear(number * ROUND_S + late_s, WINDOWS)
    assert once.window_s(WINDOWS) == thrice.window_s(WINDOWS)


def test_limits_hold_and_a_fixed_window_is_one() -> None:
    limited = Windows.of(ROUND_S, 1e-5, 1.0, 2.0)
    fixed = Windows.of(ROUND_S, 1e-5, 3.0, 3.0)
    for pattern in ("x", "x" * 64, "x......." * 8):
        assert 1.0 <= heard(pattern).window_s(limited) <= 2.0
        assert heard(pattern).window_s(fixed) == 3.0
