"""A short form of `python -m tests.chaos.scanner_kills`."""

import random

from tests.chaos.scanner_kills import run


def test_no_acknowledged_scan_of_many_is_lost_or_doubled_by_kills_at_random_moments() -> None:
    result = run(3, random.Random(7))
    print(result)
    assert (result.lost, result.doubled) == (0, 0)
    assert result.acknowledged == result.stored > 1_000
