"""The lanes' curves and the outcomes of predictions in ingest's memory: read when there are newer
ones, only those of lanes in the plan. Upstream: `lanes`, which the worker learns them by;
downstream: the fleet stage.
"""

from collections.abc import Sequence

import numpy as np
from psycopg.pq import Format

from waystock.fleet.derived import MODELS
from waystock.fleet.fixes import Int64s
from waystock.fleet.lane_curve import CURVE, RANGE, LaneBook, book_of
from waystock.fleet.plan import instant_us
from waystock.fleet.records import Records
from waystock.store.arrays import EPOCH_US, read_numbers
from waystock.store.connection import Database
from waystock.store.sql import queries

VERSIONS_KEPT_US = 3 * 86_400 * 1_000_000
"""Of a lane, those that were in force so long before the newest stay in memory."""


class LaneShelf:
    """What this process has read so far."""

    def __init__(self) -> None:
        self._curve_id = 0
        self._range_id = 0
        self._lanes: set[int] = set()
        self._curves = np.empty(0, CURVE)
        self._ranges = np.empty(0, RANGE)

    def refresh(self, database: Database, lanes: Int64s) -> LaneBook | None:
        """The book of a plan's lanes; None where it is as it was. One small query then."""
        newest = database.execute(queries("lanes")["newest"]).fetchone()
        curve_id, range_id = newest or (0, 0)
        wanted = set(np.unique(lanes).tolist()) - {0}
        unread = sorted(wanted - self._lanes)
        if (curve_id, range_id) == (self._curve_id, self._range_id) and not unread:
            return None
        known = sorted(wanted & self._lanes)
        parts = [self._curves]
        for some, after in ((unread, 0), (known, self._curve_id)):
            if some and curve_id > after:
                parts.append(_read_curves(database, some, after))
        every = np.concatenate(parts)
        self._curves = _still_needed(every[np.isin(every["lane"], list(wanted))])
        if range_id > self._range_id:
            read = _read_ranges(database, self._range_id)
            self._ranges = np.concatenate([self._ranges, read])
            newest_us = self._ranges["valid_us"].max(initial=0)
            self._ranges = self._ranges[self._ranges["valid_us"] > newest_us - VERSIONS_KEPT_US]
        self._curve_id, self._range_id, self._lanes = curve_id, range_id, wanted
        return book_of([self._curves], [self._ranges])


def _still_needed(curves: Records) -> Records:
    """Without versions that one which is old itself has replaced, and each version once."""
    curves = curves[np.lexsort((curves["valid_us"], curves["lane"]))]
    if len(curves) < 2:
        return curves
    newest_us = int(curves["valid_us"].max())
    follows = curves["lane"][1:] == curves["lane"][:-1]
    is_old = follows & (curves["valid_us"][1:] < newest_us - VERSIONS_KEPT_US)
    is_twice = follows & (curves["valid_us"][1:] == curves["valid_us"][:-1])
    return curves[~np.append(is_old | is_twice, False)]


def _read_curves(database: Database, lanes: Sequence[int], after: int) -> Records:
    with database.cursor(binary=True) as cursor:
        cursor.execute(queries("lanes")["curves"], {"lanes": list(lanes), "after": after})
        result = cursor.pgresult
        assert result is not None
        assert result.fformat(0) == Format.BINARY
        curves = np.zeros(result.ntuples, CURVE)
        for row in range(result.ntuples):
            cells = [result.get_value(row, column) or b"" for column in range(10)]
            one = curves[row]
            one["lane"] = int.from_bytes(cells[0], signed=True)
            one["valid_us"] = int.from_bytes(cells[1], signed=True) + EPOCH_US
            one["passages"], one["services"] = map(int.from_bytes, cells[2:4])
            for name, cell in zip(
                ("length_m", "leave_m", "service_s", "spread"), cells[4:8], strict=True
            ):
                one[name] = np.frombuffer(cell, ">f8")[0]
            one["rest_s"], one["hour_log"] = (read_numbers(cell, ">f4") for cell in cells[8:])
    return curves


def _read_ranges(database: Database, after: int) -> Records:
    rows = database.execute(queries("lanes")["ranges"], {"after": after}).fetchall()
    return np.array(
        [
            (instant_us(valid), MODELS.index(model), horizon, outcomes, low, high)
            for valid, model, horizon, outcomes, low, high in rows
            if model in MODELS
        ],
        RANGE,
    )
