"""The fixed parts of a workbook and its cell styles. Upstream: the columns' kinds; downstream:
waystock.reports.workbook.
"""

from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from waystock.reports.columns import Column

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"

PARTS: dict[str, str] = {
    "[Content_Types].xml": (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_MAIN}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_MAIN}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_MAIN}.worksheet+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet2.xml" ContentType="{_MAIN}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/worksheet" Target="worksheets/sheet2.xml"/>'
        f'<Relationship Id="rId3" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>"
    ),
}


class Style(NamedTuple):
    """A cell's look: its place among the styles, its number format, bold or not."""

    number: int
    form: str
    is_bold: bool


_FORMS = (
    "General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "#,##0", "#,##0.0", "#,##0.00", "0.000000",
    "0.0%",
)  # fmt: skip
STYLES: tuple[Style, ...] = tuple(
    Style(number, form, is_bold)
    for number, (is_bold, form) in enumerate(
        (is_bold, form) for is_bold in (False, True) for form in _FORMS
    )
)
HEADING = TOTAL = len(_FORMS)
"""Bold, and nothing else."""


def style_of(column: Column, *, is_total: bool = False) -> int:
    """The index of a number's or an instant's style in STYLES."""
    match column.kind:
        case "date":
            form = "yyyy-mm-dd"
        case "instant":
            form = "yyyy-mm-dd hh:mm:ss"
        case "share":
            form = "0.0%"
        case _:
            form = {0: "#,##0", 1: "#,##0.0", 2: "#,##0.00"}.get(column.decimals, "0.000000")
    return _FORMS.index(form) + (len(_FORMS) if is_total else 0)


def styles_part() -> str:
    """xl/styles.xml. Formats of one's own are numbered from 164 on."""
    forms = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode={quoteattr(form)}/>'
        for n, form in enumerate(_FORMS[1:])
    )
    cells = "".join(
        f'<xf numFmtId="{163 + _FORMS.index(style.form) if style.form != "General" else 0}"'
        f' fontId="{int(style.is_bold)}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"'
        f' applyFont="1"/>'
        for style in STYLES
    )
    return (
        f'{_HEAD}<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<numFmts count="{len(_FORMS) - 1}">{forms}</numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        f'</cellStyleXfs><cellXfs count="{len(STYLES)}">{cells}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )
