"""The files of reports: what a spreadsheet, a map or a program is told is what was in the rows,
whatever somebody has called a truck.
"""

import csv
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.reports.asked import Asked, chosen_options
from waystock.reports.catalogue import DETENTION, MILEAGE, PUNCTUALITY, REPORTS, STOPS, TRIPS
from waystock.reports.columns import UNITS, Kind, Row
from waystock.reports.csv_file import FORMULA_STARTS, safe_text, write_csv
from waystock.reports.json_file import write_json
from waystock.reports.map_features import Feature, Point, write_geojson, write_gpx
from waystock.reports.sums import Sums
from waystock.reports.workbook import write_xlsx

AT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def asked(name: str = "trips", **more: Any) -> Asked:
    usual: dict[str, Any] = {
        "first_day": date(2026, 10, 25), "last_day": date(2026, 10, 26),
        "time_zone": "Europe/Berlin",
    }  # fmt: skip
    return Asked(report=REPORTS[name], **(usual | more))


def row(name: str = "trips", **values: object) -> Row:
    """A row of which nothing is known but these."""
    return {column.name: None for column in REPORTS[name].columns} | values


def csv_of(rows: list[Row], **more: Any) -> list[dict[str, str]]:
    out = io.BytesIO()
    write_csv(out, asked(**more), rows)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))


def sheet_of(rows: list[Row], name: str = "trips", **more: Any) -> dict[str, Any]:
    """Cell → its text or number."""
    out = io.BytesIO()
    write_xlsx(out, asked(name, **more), rows)
    with zipfile.ZipFile(out) as book:
        root = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    cells: dict[str, Any] = {}
    for cell in root.iter(f"{SHEET}c"):
        number = cell.find(f"{SHEET}v")
        text = "".join(each.text or "" for each in cell.iter(f"{SHEET}t"))
        cells[cell.attrib["r"]] = text if number is None else float(number.text or "")
    return cells


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_text_is_run_as_a_formula(start: str) -> None:
    [read] = csv_of([row(plate=f"{start}HYPERLINK(1)", distance_km=-1.0)])
    assert read["plate"] == f"'{start}HYPERLINK(1)"
    assert read["distance_km"] == "-1.0", "a number stays one"
    [named] = csv_of([row(carrier_name={"en": f"{start}1"})])
    assert named["carrier_name"] == f"'{start}1"


@given(st.text())
def test_csv_gives_back_any_text(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    [read] = csv_of([row(plate=text)])
    assert read["plate"] == safe_text(text)
    assert not read["plate"].startswith(FORMULA_STARTS)


@given(st.text(max_size=60))
def test_a_sheet_stays_readable_whatever_a_text_holds(text: str) -> None:
    cell = sheet_of([row(plate=text)])["B2"]
    # A control character has no place in XML; Excel reads _x0041_ as an escape of A.
    readable = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    assert cell.replace("_x005F_", "_") == readable.replace("_x005F_", "_")


def test_a_text_that_looks_like_an_escape_of_excels_is_no_escape() -> None:
    assert sheet_of([row(plate="_x0041_")])["B2"] == "_x005F_x0041_"


def test_instants_tell_their_offset_where_an_hour_comes_twice() -> None:
    later = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    read = csv_of([row(started_at=AT), row(started_at=later)])
    assert [one["started_at"] for one in read] == [
        "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00",
    ]  # fmt: skip
    cells = sheet_of([row(started_at=AT, day=date(2026, 10, 25))])
    heading = {text: cell for cell, text in cells.items() if cell.endswith("1") and len(cell) == 2}
    assert cells[heading["Start (Europe/Berlin)"][0] + "2"] == 46320 + 2.5 / 24
    assert cells[heading["Day"][0] + "2"] == 46320


def test_what_is_not_known_is_an_empty_cell_and_adds_nothing() -> None:
    rows = [row(distance_km=1.5), row(), row(distance_km=2.0)]
    assert [one["distance_km"] for one in csv_of(rows)] == ["1.5", "", "2.0"]
    sums = Sums(TRIPS)
    for one in rows:
        sums.add(one)
    assert (sums.rows, sums.total("distance_km"), sums.total("driven_min")) == (3, 3.5, None)
    cells = sheet_of(rows)
    assert cells["A5"] == "Total"
    assert sheet_of([row()])["A3"] == "Total"
    assert "A2" not in sheet_of([]), "no sums of nothing"


def test_sums_do_not_drift_and_never_mix_currencies() -> None:
    sums = Sums(DETENTION)
    for _ in range(5_000):
        sums.add(row("detention", cost=0.1, currency="CNY", dwell_min=0.1))
        sums.add(row("detention", cost=7.0, currency="EUR"))
    sums.add(row("detention"))
    assert sums.money() == {"cost": {"CNY": 500.0, "EUR": 35_000.0}}
    assert sums.total("dwell_min") == pytest.approx(500, abs=1e-9)
    assert "cost" not in sums.totals()
    cells = sheet_of([
        row("detention", cost=1.0, currency="CNY"), row("detention", cost=2.0, currency="EUR"),
    ], "detention")  # fmt: skip
    assert [cells[place] for place in ("A4", "A5")] == ["Total CNY", "Total EUR"]


def test_headings_of_a_sheet_have_the_unit_in_the_readers_language() -> None:
    assert "里程（公里）" in sheet_of([row()], lang="zh").values()
    assert "Distance (km)" in sheet_of([row()]).values()


def track(*lonlats: tuple[float, float]) -> list[Point]:
    return [Point(AT, lat, lon, 12.0) for lon, lat in lonlats]


def test_a_map_survives_names_that_are_markup() -> None:
    feature = Feature(
        row(plate='<&">\x00', started_at=AT, from_fence_name={"en": "A & <B>"}),
        track((13.4, 52.5), (13.5, 52.5)),
    )
    out = io.BytesIO()
    write_gpx(out, asked(), [feature], AT)
    root = ElementTree.fromstring(out.getvalue())
    [name] = [each.text for each in root.iter() if each.tag.endswith("}name")][1:]
    assert name == '<&">  2026-10-25 02:30+02:00'
    heights = [each.text for each in root.iter() if each.tag.endswith("}ele")]
    assert heights == ["12.0", "12.0"]


@given(
    st.lists(
        st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=6,
    )
)  # fmt: skip
def test_no_part_of_a_line_crosses_the_antimeridian(lonlats: list[tuple[float, float]]) -> None:
    out = io.BytesIO()
    write_geojson(out, asked(), [Feature(row(started_at=AT), track(*lonlats))])
    [feature] = json.loads(out.getvalue())["features"]
    geometry = feature["geometry"]
    parts = geometry["coordinates"]
    if geometry["type"] == "LineString":
        parts = [parts]
    for part in parts:
        assert len(part) >= 2
        for (lon, lat), (after, _) in pairwise(part):
            assert abs(after - lon) <= 180
            assert -180 <= lon <= 180
            assert -90 <= lat <= 90
    assert len(feature["properties"]["times"]) == len(lonlats)


def test_a_row_whose_place_nobody_knows_is_on_no_map_but_in_the_collection() -> None:
    out = io.BytesIO()
    write_geojson(out, asked("visits"), [Feature(row("visits", fence="gone"), ())])
    [feature] = json.loads(out.getvalue())["features"]
    assert (feature["geometry"], feature["properties"]["fence"]) == (None, "gone")
    out = io.BytesIO()
    write_gpx(out, asked("visits"), [Feature(row("visits", fence="gone"), ())], AT)
    assert b"<wpt" not in out.getvalue()


def test_json_tells_what_was_asked_and_nothing_beside_the_columns() -> None:
    out = io.BytesIO()
    hidden = {"counted_until": AT}
    write_json(out, asked("mileage", per="week", vehicle="t01"), [{**row("mileage"), **hidden}] * 2)
    whole = json.loads(out.getvalue())
    assert whole["filters"] == {"vehicle": "t01"}
    assert whole["options"] == {"per": "week"}
    assert [list(one) for one in whole["rows"]] == [whole["columns"]] * 2


@given(st.text(max_size=200))
def test_the_name_of_a_file_is_a_name_everywhere(vehicle: str) -> None:
    name = asked(vehicle=vehicle, site="sha").file_name("csv")
    assert re.fullmatch(r"[A-Za-z0-9-]{1,120}-2026-10-25-to-2026-10-26\.csv", name)


def test_the_name_of_a_file_tells_site_report_and_range() -> None:
    assert asked("mileage", per="week").file_name("xlsx") == (
        "all-mileage-week-2026-10-25-to-2026-10-26.xlsx"
    )
    assert asked("punctuality", by="carrier", site="sha").file_name("csv") == (
        "sha-punctuality-carrier-2026-10-25-to-2026-10-26.csv"
    )


def test_an_option_that_a_report_has_not_is_refused_not_passed_over() -> None:
    assert chosen_options(MILEAGE, {"per": "week", "by": None}) == {"per": "week"}
    with pytest.raises(ValueError, match="only per"):
        chosen_options(MILEAGE, {"by": "lane"})
    with pytest.raises(ValueError, match="no such option at all"):
        chosen_options(TRIPS, {"per": "week"})


def test_every_report_says_its_units_and_rules_in_both_languages() -> None:
    for report in REPORTS.values():
        names = [column.name for column in report.columns]
        assert len(set(names)) == len(names), report.name
        for column in report.columns:
            assert column.kind in get_args(Kind)
            assert set(column.heading) == {"en", "zh"}
            assert column.unit is None or set(UNITS[column.unit]) == {"en", "zh"}
            assert column.names is None or column.names in names
        for lang in ("en", "zh"):
            assert all(text for _, text in asked(report.name, lang=lang).told())
    assert {*STOPS.formats} - {*PUNCTUALITY.formats} == {"gpx", "geojson"}
