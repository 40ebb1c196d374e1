"""A report as one JSON document: what was asked, its columns, its rows. Upstream: rows; downstream:
programs. Instants are UTC, as everywhere on the wire.
"""

from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from waystock.reports.asked import Asked
from waystock.reports.columns import Row

_encode = msgspec.json.Encoder(decimal_format="number").encode


def write_json(out: BinaryIO, asked: Asked, rows: Iterable[Row]) -> None:
    """One row a line."""
    head = {
        "report": asked.report.name,
        "first_day": asked.first_day,
        "last_day": asked.last_day,
        "time_zone": asked.time_zone,
        "filters": asked.narrowed(),
        "options": asked.choices(),
        "columns": [column.name for column in asked.report.columns],
    }
    out.write(_encode(head)[:-1] + b',"rows":[')
    for number, row in enumerate(rows):
        out.write(b"\n" if number == 0 else b",\n")
        out.write(_encode(told(asked, row)))
    out.write(b"\n]}\n")


def told(asked: Asked, row: Row) -> dict[str, object]:
    """The columns of a row, and nothing else that it may hold."""
    return {column.name: row[column.name] for column in asked.report.columns}
