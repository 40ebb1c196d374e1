"""Reports of the fleet: which there are, a report page by page, its sums, and the whole of it as a
file. Upstream: waystock.store.reports; downstream: the page Reports, and programs.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from waystock.reports.catalogue import REPORTS, Format, Report
from waystock.reports.columns import UNITS, Column, Words
from waystock.reports.json_file import told
from waystock.reports.sums import sums_of
from waystock.store.report_file import MEDIA_TYPES, write_report
from waystock.store.reports import choices, read_report_page, read_rows, why_empty
from waystock_api.access import RANK, Principal, SignedIn
from waystock_api.asked_reports import PageQuery, ReportQuery, cursor_of, settled
from waystock_api.paging import NoQuery
from waystock_api.report_files import blocks, new_file, report_slot
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/reports", tags=["reports"])

Name = Annotated[str, Path(description="one that /reports lists, such as trips")]


class ColumnOut(BaseModel):
    name: str
    kind: str
    heading: Words
    unit: Words | None
    decimals: int
    is_summed: bool
    is_detail: bool
    names: str | None
    """The code column that this one has the names of."""
    choices: Mapping[str, Words]


class ReportOut(BaseModel):
    name: str
    title: Words
    columns: list[ColumnOut]
    filters: list[str]
    options: list[str]
    formats: list[str]
    needs: Literal["viewer", "operator"]
    """The role."""


class ChoiceOut(BaseModel):
    code: str
    name: dict[str, str]


class ReportsOut(BaseModel):
    items: list[ReportOut]
    vehicles: list[ChoiceOut]
    carriers: list[ChoiceOut]
    customers: list[ChoiceOut]


class EmptyOut(BaseModel):
    why: Literal["nothing_yet", "outside", "filters", "nothing"]
    first_day: date | None
    last_day: date | None
    """From when to when there is something."""


class ReportPage(BaseModel):
    """Rows by the names of their columns, and what they answer for."""

    report: str
    first_day: date
    last_day: date
    time_zone: str
    items: list[dict[str, object]]
    next: str | None
    empty: EmptyOut | None
    """Why there is no row at all."""


class SumsOut(BaseModel):
    rows: int
    sums: dict[str, float | None]
    """By column; null: no row has a value."""
    money: dict[str, dict[str, float]]
    """By column and currency: there is no rate of exchange here."""


class FileQuery(ReportQuery):
    format: Format = "csv"
    bom: Annotated[bool, Field(description="csv: marked as UTF-8, for Excel")] = False


@router.get("")
def list_reports(services: ServicesOfApp, _query: Annotated[NoQuery, Query()]) -> ReportsOut:
    """Which reports there are, with their columns and units; and what they can be narrowed to."""
    with services.store.connection() as database:
        found = choices(database)
    return ReportsOut(
        items=[_report(report) for report in REPORTS.values()],
        vehicles=[
            ChoiceOut(code=code, name={"en": plate, "zh": plate})
            for code, plate in found["vehicle"]
        ],
        carriers=[ChoiceOut(code=code, name=name) for code, name in found["carrier"]],
        customers=[ChoiceOut(code=code, name=name) for code, name in found["customer"]],
    )


@router.get("/{name}", responses={404: {}})
def get_report(
    name: Name, principal: SignedIn, services: ServicesOfApp, query: Annotated[PageQuery, Query()]
) -> ReportPage:
    """A report of some days, usually the last seven, page by page. Days run from midnight to
    midnight of `time_zone`. A row belongs whole to the day it began; mileage is split at midnight;
    a stop of the punctuality to the day its window ended. `detention` needs the role operator."""
    report = _allowed(name, principal)
    with services.store.connection() as database:
        asked, now, after = settled(database, report, query, services.now(), query.cursor)
        rows, key = read_report_page(database, asked, now, after, query.limit)
        empty = why_empty(database, asked, now) if not rows and after is None else None
    return ReportPage(
        report=name,
        first_day=asked.first_day,
        last_day=asked.last_day,
        time_zone=asked.time_zone,
        items=[told(asked, row) for row in rows],
        next=None if key is None else cursor_of(asked, now, key),
        empty=empty and EmptyOut(why=empty.why, first_day=empty.first_day, last_day=empty.last_day),
    )


@router.get("/{name}/sums", responses={404: {}, 503: {}})
def get_report_sums(
    name: Name, principal: SignedIn, services: ServicesOfApp, query: Annotated[ReportQuery, Query()]
) -> SumsOut:
    """The sums of all rows of the report, however many pages they fill."""
    report = _allowed(name, principal)
    with report_slot(services), services.store.connection() as database:
        asked, now, _ = settled(database, report, query, services.now())
        sums = sums_of(report, read_rows(database, asked, now))
    return SumsOut(rows=sums.rows, sums=sums.totals(), money=sums.money())


@router.get(
    "/{name}/file",
    responses={200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}}, 404: {}, 503: {}},
    response_class=StreamingResponse,
)
def get_report_file(
    name: Name, principal: SignedIn, services: ServicesOfApp, query: Annotated[FileQuery, Query()]
) -> StreamingResponse:
    """The whole report as CSV, Excel workbook, JSON, and trips, stops and visits as GPX or GeoJSON.
    It is made before the first byte is sent, so that an answer is either whole or an error."""
    report = _allowed(name, principal)
    made = new_file()
    try:
        with report_slot(services), services.store.connection() as database:
            asked, now, _ = settled(database, report, query, services.now())
            write_report(database, asked, query.format, made, now, bom=query.bom)
    except BaseException:
        made.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{asked.file_name(query.format)}"',
        "Content-Length": str(made.tell()),
    }
    return StreamingResponse(
        blocks(made),
        media_type=MEDIA_TYPES[query.format],
        headers=headers,
        background=BackgroundTask(made.close),
    )


def _allowed(name: str, principal: Principal) -> Report:
    report = REPORTS.get(name)
    if report is None:
        raise HTTPException(404, f"There is no report {name!r}, but {', '.join(REPORTS)}.")
    if RANK[principal.role] < RANK[_needs(report)]:
        raise HTTPException(
            403, f"This report needs the role {_needs(report)}; you have {principal.role}."
        )
    return report


def _needs(report: Report) -> Literal["viewer", "operator"]:
    return "operator" if report.shows_money else "viewer"


def _report(report: Report) -> ReportOut:
    return ReportOut(
        name=report.name,
        title=report.title,
        columns=[_column(column) for column in report.columns],
        filters=list(report.filters),
        options=list(report.options),
        formats=list(report.formats),
        needs=_needs(report),
    )


def _column(column: Column) -> ColumnOut:
    return ColumnOut(
        name=column.name,
        kind=column.kind,
        heading=column.heading,
        unit=UNITS[column.unit] if column.unit else None,
        decimals=column.decimals,
        is_summed=column.is_summed,
        is_detail=column.is_detail,
        names=column.names,
        choices=column.choices,
    )
