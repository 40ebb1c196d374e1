"""`waystock report` into each kind of file, read back as other programs would; and what a large one
takes of the machine's memory.
"""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from tests.integration.store.past_world import insert, raw
from tests.integration.store.report_world import box, fill, local, shipment, trip, visit
from waystock.fleet.geojson import features_of
from waystock.fleet.gpx import track_points
from waystock.store import report_command
from waystock.store.connection import Database, connect

WAYSTOCK = str(Path(sys.executable).with_name("waystock"))
WEEK = ("--from", "2026-11-23", "--to", "2026-11-29")
GPX = "{http://www.topografix.com/GPX/1/1}"
LARGE = 25_000
ROOM_KB = 25_000
"""More than the small report takes: blocks in flight, not rows (each would take about 2 KB)."""


class Told(NamedTuple):
    status: int
    out: bytes
    error: str


Report = Callable[..., Told]


@pytest.fixture
def report(
    url: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Report:
    """`waystock report …`, in this process."""
    monkeypatch.setenv("WAYSTOCK_DATABASE_URL", url)

    def run(*arguments: str) -> Told:
        try:
            status = report_command.run(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        said = capsysbinary.readouterr()
        return Told(status, said.out, said.err.decode())

    return run


@pytest.fixture
def url(plain_database_url: str) -> Iterator[str]:
    with connect(plain_database_url, "test") as database:
        fill(database)
        add_days(database)
    yield plain_database_url


def add_days(database: Database) -> None:
    """A trip with fixes of two units, one whose fixes are gone, a stop, a visit with detention."""
    database.execute("UPDATE vehicle SET plate = '=1+1' WHERE vehicle = 't02'")
    insert(database, "trip", [
        trip("t01", local(23, 8), local(23, 9), 40),
        trip("t02", local(24, 23, 30), local(25, 1), 9),
    ])  # fmt: skip
    insert(database, "device", [
        {"device": "phone", "kind": "gps", "biz_step": "tracking", "vehicle": "t01"}
    ])  # fmt: skip
    insert(database, "fix", [
        raw("gps-t01", local(23, 8, n), n) | {"lat": 31.0, "lon": 121 + n / 100} for n in range(40)
    ])  # fmt: skip
    insert(database, "fix", [
        raw("phone", local(23, 8, n), 100 + n) | {"lat": 31.5, "lon": 121.5} for n in range(9)
    ])  # fmt: skip
    insert(database, "vehicle_stop", [
        {"vehicle": "t01", "arrived_at": local(23, 9), "departed_at": local(23, 12), "lat": 31.0,
         "lon": 121.5}
    ])  # fmt: skip
    shipment(database, "S1", "t01", local(23, 7), ("f-shop", "shop", local(23, 10), local(23, 9)))
    insert(database, "visit", [visit("t01", "f-shop", local(23, 9), local(23, 12))])
    insert(database, "detention_rate", [{"rate_per_h": 90, "currency": "CNY"}])


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_csv_is_read_back_as_it_was_and_runs_nothing_in_a_spreadsheet(report: Report) -> None:
    done = report("trips", *WEEK)
    assert (done.status, done.error) == (0, "")
    assert done.out.count(b"\r\n") == 3
    first, second = table(done.out)
    assert first["started_at"] == "2026-11-23T08:00:00+08:00"
    assert (first["distance_km"], first["day"], first["carrier_name"]) == (
        "40.0", "2026-11-23", "Swift",
    )  # fmt: skip
    assert (second["plate"], second["from_fence"], second["is_open"]) == ("'=1+1", "", "false")
    marked = report("trips", *WEEK, "--bom", "--lang", "zh")
    assert marked.out.startswith(b"\xef\xbb\xbfvehicle,plate")
    assert table(marked.out[3:])[0]["carrier_name"] == "swift"


def test_json_has_the_rows_and_what_was_asked(report: Report) -> None:
    whole = json.loads(report("mileage", *WEEK, "--per", "week", "--format", "json").out)
    assert (whole["report"], whole["time_zone"]) == ("mileage", "Asia/Shanghai")
    assert whole["options"] == {"per": "week"}
    assert [set(row) for row in whole["rows"]] == [set(whole["columns"])] * 2
    assert whole["rows"][0]["distance_km"] == 40


def cells(book: zipfile.ZipFile, sheet: int) -> dict[str, Any]:
    """Cell → text, or number with its style."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    found: dict[str, Any] = {}
    root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    for cell in root.iter(f"{name}c"):
        number = cell.find(f"{name}v")
        texts = "".join(text.text or "" for text in cell.iter(f"{name}t"))
        found[cell.attrib["r"]] = texts if number is None else float(number.text or "")
    return found


def test_a_sheet_has_dates_and_numbers_its_headings_in_view_and_sums_below(
    report: Report, tmp_path: Path
) -> None:
    done = report("detention", *WEEK, "--out", str(tmp_path), "--format", "xlsx")
    assert done.status == 0, done.error
    file = tmp_path / "all-detention-2026-11-23-to-2026-11-29.xlsx"
    assert done.error == f"{file}\n"
    with zipfile.ZipFile(file) as book:
        assert book.testzip() is None
        sheet = cells(book, 1)
        text = book.read("xl/worksheets/sheet1.xml").decode()
        about = cells(book, 2)
    headings = {
        value: key[:-1] for key, value in sheet.items() if key.rstrip("0123456789") + "1" == key
    }
    at = headings.__getitem__
    assert sheet[at("Arrived (Asia/Shanghai)") + "2"] == 46349 + 9 / 24
    assert sheet[at("Day") + "2"] == 46349
    assert sheet[at("Stay (min)") + "2"] == 180
    assert sheet[at("Detention (h)") + "2"] == sheet[at("Detention (h)") + "3"] == 1
    assert (sheet["A3"], sheet[at("Cost") + "3"]) == ("Total CNY", 90)
    assert 'state="frozen"' in text
    assert f'<autoFilter ref="A1:{at("Currency")}2"/>' in text
    assert (about["A4"], about["B4"]) == ("Time zone", "Asia/Shanghai")


def test_gpx_has_each_trip_with_its_times_by_the_unit_that_saw_more_of_it(report: Report) -> None:
    done = report("trips", *WEEK, "--format", "gpx")
    root = ElementTree.fromstring(done.out)
    assert [child.tag for child in root] == [f"{GPX}{tag}" for tag in ("metadata", "trk", "trk")]
    assert (root.attrib["version"], root.attrib["creator"]) == ("1.1", "Waystock")
    for track in root.findall(f"{GPX}trk"):
        assert [child.tag.removeprefix(GPX) for child in track] == [
            "name",
            "desc",
            "type",
            "trkseg",
        ]
    points = list(track_points(io.BytesIO(done.out)))
    assert [point.lat for point in points[:40]] == ["31.0000000"] * 40
    assert points[39].texts["time"] == "2026-11-23T00:39:00.000000Z"
    # Of the other trip no fix is kept: its ends are told, and that they are no more than that.
    assert [(point.lat, point.lon) for point in points[40:]] == [
        ("31.0000000", "121.0000000"), ("31.0000000", "121.5000000"),
    ]  # fmt: skip
    assert [track.findtext(f"{GPX}type") for track in root.iter(f"{GPX}trk")] == [
        "fixes", "ends only",
    ]  # fmt: skip


def test_geojson_has_lines_for_trips_and_points_for_stops_and_visits(report: Report) -> None:
    trips = features_of(report("trips", *WEEK, "--format", "geojson").out)
    assert [feature.geometry["type"] for feature in trips] == ["LineString"] * 2
    assert trips[0].geometry["coordinates"][39] == [121.39, 31.0]
    assert len(trips[0].properties["times"]) == 40
    assert (trips[0].properties["distance_km"], trips[1].properties["track"]) == (40, "ends")
    [stop] = features_of(report("stops", *WEEK, "--format", "geojson").out)
    assert (stop.geometry, stop.properties["stood_min"]) == (
        {"type": "Point", "coordinates": [121.5, 31.0]}, 180,
    )  # fmt: skip
    [visited] = features_of(report("visits", *WEEK, "--format", "geojson").out)
    west, south = box(121.5)["coordinates"][0][0]  # type: ignore[index]
    lon, lat = visited.geometry["coordinates"]
    assert west < lon < west + 0.02
    assert south < lat < south + 0.02
    [way_point] = ElementTree.fromstring(report("visits", *WEEK, "--format", "gpx").out).findall(
        f"{GPX}wpt"
    )
    assert way_point.findtext(f"{GPX}time") == "2026-11-23T01:00:00.000000Z"


def test_a_trip_over_the_antimeridian_is_cut_in_two_there(url: str, report: Report) -> None:
    with connect(url, "test") as database:
        insert(database, "trip", [trip("t02", local(26, 8), local(26, 9), 40)])
        insert(database, "fix", [
            raw("gps-t02", local(26, 8, n), 900 + n) | {"lat": -17.0 + n, "lon": lon}
            for n, lon in enumerate((179.9, -179.9))
        ])  # fmt: skip
    found = features_of(report("trips", *WEEK, "--format", "geojson", "--vehicle", "t02").out)
    assert found[-1].geometry == {
        "type": "MultiLineString",
        "coordinates": [[[179.9, -17.0], [180.0, -16.5]], [[-180.0, -16.5], [-179.9, -16.0]]],
    }


def test_what_cannot_be_made_is_told_in_words_and_leaves_no_file(
    report: Report, tmp_path: Path
) -> None:
    out = tmp_path / "mileage.gpx"
    for arguments, said in (
        (("mileage", *WEEK, "--out", str(out)), "can be had as json, csv, xlsx"),
        (("trips", *WEEK, "--site", "ber", "--out", str(out)), "no site 'ber'"),
        (("trips", "--from", "2026-11-31", "--to", "2026-11-30"), "is no day such as"),
        (("fuel", *WEEK), "invalid choice: 'fuel'"),
        (("punctuality", *WEEK, "--grace", "-1"), "0 to 1440 minutes"),
    ):
        done = report(*arguments)
        assert (done.status, done.out) == (2, b""), arguments
        assert said in done.error
    assert not out.exists()


def _peak_kb(url: str, *arguments: str) -> int:
    """Of the command, by the kernel's own account."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, WAYSTOCK, "report", *arguments],
        capture_output=True, check=True, env={**os.environ, "WAYSTOCK_DATABASE_URL": url},
    )  # fmt: skip
    return int(done.stdout)


def test_a_report_of_many_rows_takes_no_more_memory_than_one_of_few(
    url: str, tmp_path: Path
) -> None:
    with connect(url, "test") as database:
        database.execute(
            "INSERT INTO trip SELECT 't01', %s + n * interval '10 s', %s + n * interval '10 s',"
            " 31, 121, 31, 122, 1000, now(), now() FROM generate_series(1, %s) AS n",
            (local(24, 8), local(24, 8) + timedelta(seconds=5), LARGE),
        )
    for kind in ("csv", "xlsx"):
        small = _peak_kb(
            url, "trips", *WEEK, "--vehicle", "t02", "--out", str(tmp_path / f"s.{kind}")
        )
        large = _peak_kb(url, "trips", *WEEK, "--out", str(tmp_path / f"l.{kind}"))
        assert large - small < ROOM_KB, (kind, small, large)
    assert (tmp_path / "l.csv").read_bytes().count(b"\r\n") == LARGE + 3
