"""A report as CSV (RFC 4180, UTF-8). The headings are the columns' names, units last, so that
programs can rely on them; instants are ISO 8601 in the report's zone with their offset. A text that
a spreadsheet would take for a formula gets an apostrophe before it.
"""

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from waystock.reports.asked import Asked
from waystock.reports.columns import Column, Lang, Row, text_of

BOM = b"\xef\xbb\xbf"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may read as the beginning of a formula, the wide forms that it makes narrow
and the white space that it passes over among them."""


def write_csv(out: BinaryIO, asked: Asked, rows: Iterable[Row], *, bom: bool = False) -> None:
    """`bom`: with the mark by which Excel tells UTF-8."""
    if bom:
        out.write(BOM)
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    columns = asked.report.columns
    zone = asked.zone
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_cell(column, row[column.name], asked.lang, zone) for column in columns])
    text.detach()


def safe_text(text: str) -> str:
    """The text so that no spreadsheet runs it."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _cell(column: Column, value: object, lang: Lang, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            decimals = column.decimals + 2 if column.kind == "share" else column.decimals
            return f"{value:.{decimals}f}"
        case datetime():
            return value.astimezone(zone).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case _:
            return safe_text(str(value) if column.choices else text_of(column, value, lang))
