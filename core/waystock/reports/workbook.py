"""A report as an Excel workbook (Office Open XML, ECMA-376 part 1), written row by row into the
archive: dates are dates, numbers numbers, the headings stay in view and have filters, sums stand
below. A second sheet says what was asked. Text is text, so nothing in it is ever a formula.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import BinaryIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

from waystock.reports.asked import Asked
from waystock.reports.columns import Column, Lang, Row, text_of
from waystock.reports.sums import Sums
from waystock.reports.workbook_parts import HEADING, PARTS, TOTAL, style_of, styles_part

_EPOCH = date(1899, 12, 30)
"""Day 0 of a sheet's dates (with the 1900 leap-year error that all keep to)."""
_TEXT_MAX = 32_767
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_LIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_TOTAL: dict[Lang, str] = {"en": "Total", "zh": "合计"}
_ABOUT: dict[Lang, str] = {"en": "About", "zh": "说明"}
_FLUSH_EVERY = 200


def write_xlsx(out: BinaryIO, asked: Asked, rows: Iterable[Row]) -> None:
    """`out` need not be seekable. At most a million rows, for Excel's sake."""
    title = asked.report.title[asked.lang]
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=3) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
        archive.writestr("xl/workbook.xml", _workbook(title, _ABOUT[asked.lang]))
        archive.writestr("xl/styles.xml", styles_part())
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            waiting: list[str] = []
            for piece in _sheet(asked, rows):
                waiting.append(piece)
                if len(waiting) >= _FLUSH_EVERY:
                    sheet.write("".join(waiting).encode())
                    waiting.clear()
            sheet.write("".join(waiting).encode())
        archive.writestr("xl/worksheets/sheet2.xml", _about(asked))


def _sheet(asked: Asked, rows: Iterable[Row]) -> Iterator[str]:
    columns, zone = asked.report.columns, asked.zone
    sums = Sums(asked.report)
    headings = [column.title(asked.lang, asked.time_zone) for column in columns]
    yield _sheet_head([_width(*both) for both in zip(columns, headings, strict=True)])
    yield _line(1, (_text(1, n, text, HEADING) for n, text in enumerate(headings)))
    number = 1
    for row in rows:
        number += 1
        sums.add(row)
        yield _line(number, _cells(number, columns, row, asked.lang, zone))
    yield from _totals(number + 1, asked, sums)
    yield "</sheetData>"
    yield f'<autoFilter ref="A1:{_letters(len(columns) - 1)}{number}"/></worksheet>'


def _cells(
    number: int, columns: Sequence[Column], row: Row, lang: Lang, zone: ZoneInfo
) -> Iterator[str]:
    for place, column in enumerate(columns):
        value = row[column.name]
        if value is None:
            continue
        if isinstance(value, datetime):
            yield _number(number, place, _serial(value.astimezone(zone)), style_of(column))
        elif isinstance(value, date):
            yield _number(number, place, (value - _EPOCH).days, style_of(column))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield _number(number, place, float(value), style_of(column))
        else:
            yield _text(number, place, text_of(column, value, lang), 0)


def _totals(number: int, asked: Asked, sums: Sums) -> Iterator[str]:
    """One line, and one more for each further currency."""
    columns = asked.report.columns
    if not sums.rows or not any(column.is_summed for column in columns):
        return
    currencies = sorted({one for found in sums.money().values() for one in found}) or [""]
    for index, currency in enumerate(currencies):
        cells = [_text(number + index, 0, f"{_TOTAL[asked.lang]} {currency}".strip(), TOTAL)]
        for place, column in enumerate(columns):
            is_money = column.kind == "money"
            if not column.is_summed or (index and not is_money):
                continue
            total = sums.total(column.name, currency if is_money else "")
            if total is not None:
                style = style_of(column, is_total=True)
                cells.append(_number(number + index, place, total, style))
        yield _line(number + index, cells)


def _about(asked: Asked) -> str:
    lines = [
        _line(n, (_text(n, 0, heading, HEADING), _text(n, 1, text, 0)))
        for n, (heading, text) in enumerate(asked.told(), 1)
    ]
    return _sheet_head([24, 60], is_frozen=False) + "".join(lines) + "</sheetData></worksheet>"


def _sheet_head(widths: Sequence[float], *, is_frozen: bool = True) -> str:
    frozen = (
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/>'
    )
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width:g}" customWidth="1"/>'
        for n, width in enumerate(widths, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<sheetViews><sheetView workbookViewId="0">{frozen if is_frozen else ""}</sheetView>'
        f"</sheetViews><cols>{columns}</cols><sheetData>"
    )


def _workbook(*sheets: str) -> str:
    listed = "".join(
        f'<sheet name="{_escaped(name[:31])}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in enumerate(sheets, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        f"<sheets>{listed}</sheets></workbook>"
    )


def _width(column: Column, heading: str) -> float:
    """In characters; a Chinese one is as wide as two."""
    wide = sum(2 if ord(letter) > 0x2E80 else 1 for letter in heading)
    usual = {"instant": 18, "date": 12, "words": 26, "code": 14}.get(column.kind, 10)
    return min(max(usual, wide + 4), 48)


def _line(number: int, cells: Iterable[str]) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def _text(row: int, place: int, text: str, style: int) -> str:
    styled = f' s="{style}"' if style else ""
    return (
        f'<c r="{_letters(place)}{row}"{styled} t="inlineStr"><is>'
        f'<t xml:space="preserve">{_escaped(text[:_TEXT_MAX])}</t></is></c>'
    )


def _number(row: int, place: int, value: float, style: int) -> str:
    return f'<c r="{_letters(place)}{row}" s="{style}"><v>{value!r}</v></c>'


def _escaped(text: str) -> str:
    """For XML, and for Excel, which takes `_x0041_` in a text for an escape."""
    legal = _ILLEGAL.sub("\ufffd", text)
    return escape(_ESCAPE_LIKE.sub("_x005F_", legal), {'"': "&quot;", "\r": "&#13;"})


def _serial(local: datetime) -> float:
    """Days and parts of a day as a clock on the wall shows them; sheets know no zones."""
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    return (local.date() - _EPOCH).days + seconds / 86_400


def _letters(place: int) -> str:
    """A, B … Z, AA …"""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
