"""A short form of the benchmarks of room and indexes: they count what they say they count."""

from typing import cast

import pytest

from waystock_demo.bench import bytes as bytes_per_position
from waystock_demo.bench import indexes
from waystock_demo.bench.options import BenchOptions


def test_a_position_s_bytes_are_its_row_and_its_index() -> None:
    told = bytes_per_position.run(BenchOptions(events=20_000))
    assert told.details["positions"] == 20_000
    row, index, payload = (
        cast(float, told.details[name]) for name in ("table_bytes", "index_bytes", "payload_bytes")
    )
    assert row >= told.limit > payload > 90
    assert 20 < index < row
    assert told.ours >= row + index
    assert told.ratio == pytest.approx(told.ours / told.limit)


def test_each_index_of_a_table_is_told_with_its_cost() -> None:
    told = indexes.run(BenchOptions(events=20_000))
    assert {"fix.all", "fix.fix_device_time_asc", "movement.movement_lpn"} <= told.details.keys()
    assert told.ours > told.limit > 0
