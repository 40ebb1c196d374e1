"""Sums of a report's columns, row by row, so that nothing has to be kept. Money is summed currency
by currency: there is no rate of exchange here. Downstream: the page, and the last rows of a sheet.
"""

from collections.abc import Iterable
from math import fsum

from waystock.reports.catalogue import Report
from waystock.reports.columns import Row


class Sums:
    """Of the rows added so far."""

    def __init__(self, report: Report) -> None:
        self._summed = [column for column in report.columns if column.is_summed]
        self._parts: dict[tuple[str, str], list[float]] = {}
        self.rows = 0

    def add(self, row: Row) -> None:
        """A value that is None adds nothing: it is unknown, not 0."""
        self.rows += 1
        for column in self._summed:
            value = row[column.name]
            if not isinstance(value, int | float):
                continue
            currency = str(row["currency"] or "") if column.kind == "money" else ""
            parts = self._parts.setdefault((column.name, currency), [0.0])
            parts.append(float(value))
            if len(parts) > _PARTS_MAX:
                self._parts[column.name, currency] = [fsum(parts)]

    def total(self, column: str, currency: str = "") -> float | None:
        """None where there was no value at all."""
        parts = self._parts.get((column, currency))
        return None if parts is None else fsum(parts)

    def totals(self) -> dict[str, float | None]:
        """By column, money left out."""
        return {one.name: self.total(one.name) for one in self._summed if one.kind != "money"}

    def money(self) -> dict[str, dict[str, float]]:
        """Column → currency → sum, to the cent."""
        found: dict[str, dict[str, float]] = {}
        for (column, currency), parts in sorted(self._parts.items()):
            if currency:
                found.setdefault(column, {})[currency] = round(fsum(parts), 2)
        return found


_PARTS_MAX = 1_000
"""Values kept apart for an exact sum before they are put together."""


def sums_of(report: Report, rows: Iterable[Row]) -> Sums:
    """Of all of them."""
    sums = Sums(report)
    for row in rows:
        sums.add(row)
    return sums
