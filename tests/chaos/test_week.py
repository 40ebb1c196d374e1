"""A short form of `python -m tests.chaos.week`."""

from tests.chaos.week import run


def test_after_a_long_outage_fresh_scans_come_at_once_and_the_backlog_comes_whole() -> None:
    result = run(20_000)
    print(result)
    assert (result.lost, result.doubled) == (0, 0)
    assert result.fresh_scans > 0
