"""A short form of `python -m tests.chaos.pda_breaks`."""

import pytest

from tests.chaos.pda_breaks import run


@pytest.mark.parametrize("named", [False, True], ids=["one device", "a device each"])
def test_no_acknowledged_scan_is_lost_or_doubled_by_broken_connections(named: bool) -> None:
    result = run(1, 7, named=named)
    print(result)
    assert (result.lost, result.doubled) == (0, 0)
    assert result.acknowledged == result.arrived > 100
    assert result.breaks > 20
