"""Low stock: one alert per episode, opened and cleared when it really happened."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from waystock.stock.exceptions import LevelChange, low_stock_episodes

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def changes(*steps: int) -> list[LevelChange]:
    return [
        LevelChange(START + timedelta(minutes=minute), step, START)
        for minute, step in enumerate(steps)
    ]


def test_an_episode_opens_below_the_point_and_clears_at_it() -> None:
    (episode,) = low_stock_episodes(12, 10, changes(-1, -2, -1, +5), None)
    assert episode.opened_at == START + timedelta(minutes=1)
    assert episode.level == 9
    assert episode.cleared_at == START + timedelta(minutes=3)


def test_stock_at_the_point_is_not_low() -> None:
    assert low_stock_episodes(12, 10, changes(-2), None) == []


def test_a_running_episode_goes_on_and_is_not_opened_again() -> None:
    before = START - timedelta(days=1)
    (episode,) = low_stock_episodes(5, 10, changes(-1, -1), before)
    assert (episode.opened_at, episode.cleared_at) == (before, None)


@given(st.integers(0, 20), st.lists(st.integers(-6, 6), max_size=20), st.integers(0, 19))
def test_splitting_the_history_anywhere_gives_the_same_episodes(
    level: int, steps: list[int], cut: int
) -> None:
    history = changes(*steps)
    running = START - timedelta(days=1) if level < 10 else None
    whole = low_stock_episodes(level, 10, history, running)
    first = low_stock_episodes(level, 10, history[:cut], running)
    still = first[-1].opened_at if first and first[-1].cleared_at is None else None
    second = low_stock_episodes(level + sum(steps[:cut]), 10, history[cut:], still)
    joined = {one.opened_at: one for one in (*first, *second)}
    assert [(one.opened_at, one.cleared_at) for one in joined.values()] == [
        (one.opened_at, one.cleared_at) for one in whole
    ]
