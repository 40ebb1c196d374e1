"""`waystock fleet replay` with routes and fences: alarms worth a call, visits that were."""

import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from .recordings import Line, LonLat, Replay, csv, drive, iso, lonlat, row

Way = Callable[[float], tuple[float, float]]


def straight(metres: float) -> tuple[float, float]:
    return metres, 0.0


def loop(metres: float) -> tuple[float, float]:
    """Round and round a block of 4 km."""
    turn = metres / 4000 * math.tau
    return 640 * math.cos(turn), 640 * math.sin(turn) + 3000


def out_and_back(metres: float) -> tuple[float, float]:
    return 0.0, -min(metres, 7000 - metres) if metres < 7000 else 0.0


def zigzag(metres: float) -> tuple[float, float]:
    block, rest = divmod(metres, 300.0)
    east = -150.0 * block - (rest if block % 2 else 0.0) / 2
    return east, 6000 + (rest if block % 2 == 0 else 0.0) + 300.0 * (block // 2)


WAYS: dict[str, Way] = {
    "straight": straight,
    "loop": loop,
    "out-and-back": out_and_back,
    "zigzag": zigzag,
}
SECONDS, SPEED_MPS = 560, 12.0


def line_of(way: Way, step_m: float) -> Line:
    """The way as a route drawn with a vertex each `step_m`, and where it bends."""
    bends = {way(150.0 * i): None for i in range(int(SECONDS * SPEED_MPS / 150) + 2)}
    dense = {way(step_m * i): None for i in range(int(SECONDS * SPEED_MPS / step_m) + 2)}
    places = bends if step_m > 150 else dense
    return {"type": "LineString", "coordinates": [lonlat(*place) for place in places]}


def recording() -> str:
    return csv([line for name, way in WAYS.items() for line in drive(name, way, SECONDS)])


@pytest.mark.parametrize("step_m", [10.0, 1000.0])
def test_tracks_on_their_own_routes_raise_no_alarm(replay: Replay, step_m: float) -> None:
    routes = [({"vehicle": name}, line_of(way, step_m)) for name, way in WAYS.items()]
    told = replay(recording(), "--routes", replay.features("routes.json", routes))
    assert told.of("alert") == []
    assert {line["vehicle"] for line in told.of("eta")} == set(WAYS)


def test_each_track_on_another_ones_route_raises_an_alarm(replay: Replay) -> None:
    ways = list(WAYS.values())
    swapped = zip(WAYS, ways[1:] + ways[:1], strict=True)
    routes = [({"vehicle": name}, line_of(way, 30.0)) for name, way in swapped]
    told = replay(recording(), "--routes", replay.features("routes.json", routes))
    for name in WAYS:
        alert = told.alerts("open", name)[0]
        assert alert["alert"] == "vehicle.off_route"
        assert alert["distance_m"] > alert["limit_m"] == 100.0
        assert name in alert["text"]["en"]
        assert "route of" not in alert["text"]["en"]
        assert name in alert["text"]["zh"]


def test_a_vehicle_without_a_route_is_never_off_it(replay: Replay) -> None:
    far: Line = {"type": "LineString", "coordinates": [[0.0, 10.0], [1.0, 10.0]]}
    told = replay(recording(), "--routes", replay.features("r.json", [({"vehicle": "other"}, far)]))
    assert told.of("alert") == told.of("eta") == []
    assert "no fix of 1 vehicles" in told.errors


def test_a_detour_is_one_alert_that_opens_where_it_left_and_clears_where_it_came_back(
    replay: Replay,
) -> None:
    rows = [
        row("v1", 5 * i, 60.0 * i, 250.0 if 40 <= i < 60 else 0.0, 8 if i % 2 else "")
        for i in range(110)
    ]
    routes = replay.features("r.json", [({"vehicle": "v1"}, line_of(straight, 1000.0))])
    told = replay(csv(rows, "device,time,lat,lon,accuracy"), "--routes", routes)
    (opened,) = told.alerts("open")
    (cleared,) = told.alerts("cleared")
    assert (opened["start"], opened["end"]) == (iso(200), None)
    assert (cleared["start"], cleared["end"]) == (iso(200), iso(300))


def test_two_fixes_aside_and_poor_ones_are_no_alarm(replay: Replay) -> None:
    routes = replay.features("r.json", [({"vehicle": "v1"}, line_of(straight, 1000.0))])
    rows = [row("v1", 5 * i, 60.0 * i, 300.0 if i in {40, 41} else 0.0, 5) for i in range(90)]
    rows[60:70] = [row("v1", 5 * i, 60.0 * i, 180.0, 80) for i in range(60, 70)]
    told = replay(csv(rows, "device,time,lat,lon,accuracy"), "--routes", routes)
    assert told.of("alert") == []


def test_a_route_across_the_antimeridian_is_followed(replay: Replay) -> None:
    rows = [
        f"v1,{iso(5 * i)},-17.0,{(179.99 + 0.0005 * i + 180) % 360 - 180:.6f}" for i in range(80)
    ]
    for name, coordinates in (
        ("wrapped", [[179.9, -17.0], [-179.9, -17.0]]),
        ("run-on", [[179.9, -17.0], [180.1, -17.0]]),
    ):
        line: Line = {"type": "LineString", "coordinates": coordinates}
        routes = replay.features(f"{name}.json", [({"vehicle": "v1"}, line)])
        told = replay(csv(rows), "--routes", routes)
        assert told.of("alert") == []
        assert told.of("trip")[0]["distance_m"] == pytest.approx(79 * 53.25, rel=1e-3)


def ring(half_m: float, east_m: float = 0.0) -> list[LonLat]:
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return [lonlat(east_m + x * half_m, y * half_m) for x, y in corners]


SHAPES: dict[str, tuple[dict[str, object], Line]] = {
    "polygon": ({}, {"type": "Polygon", "coordinates": [ring(200, 3000)]}),
    "holed": ({}, {"type": "Polygon", "coordinates": [ring(900, 3000), ring(500, 3000)]}),
    "many": (
        {},
        {"type": "MultiPolygon", "coordinates": [[ring(200, 3000)], [ring(200, 9000)]]},
    ),
    "circle": ({"radius_m": 200}, {"type": "Point", "coordinates": lonlat(3000)}),
    "corridor": (
        {"width_m": 104},
        {"type": "LineString", "coordinates": [lonlat(2800), lonlat(3200)]},
    ),
}


def test_fences_of_every_shape_are_visited_from_edge_to_edge(replay: Replay) -> None:
    fences = replay.features(
        "fences.json", [({"name": name, **more}, shape) for name, (more, shape) in SHAPES.items()]
    )
    told = replay(csv([row("v1", i, 10.0 * i) for i in range(1200)]), "--fences", fences)
    visits = {name: [] for name in SHAPES}
    for visit in told.of("visit"):
        visits[visit["fence"]].append((visit["start"], visit["end"]))
    # Outside begins 30 m and the fix's accuracy (5 m) beyond the edge.
    assert visits["polygon"] == [(iso(280), iso(324))]
    assert visits["holed"] == [(iso(210), iso(254)), (iso(350), iso(394))]
    assert visits["many"] == [(iso(280), iso(324)), (iso(880), iso(924))]
    assert visits["circle"] == [(iso(280), iso(324))]
    assert visits["corridor"] == [(iso(275), iso(329))]


def test_an_arrival_is_expected_at_the_fence_where_the_route_ends(replay: Replay) -> None:
    fence: Line = {"type": "Polygon", "coordinates": [ring(200, 6720)]}
    told = replay(
        csv(drive("v1", straight, 500)),
        "--routes",
        replay.features("r.json", [({"vehicle": "v1"}, line_of(straight, 1000.0))]),
        "--fences",
        replay.features("f.json", [({"name": "Kunde 7"}, fence)]),
    )
    etas = told.of("eta")
    assert {eta["to"] for eta in etas} == {"Kunde 7"}
    assert all(eta["p10"] < eta["p50"] < eta["p90"] for eta in etas)
    assert 2 <= len(etas) <= 10


@pytest.mark.parametrize("every_s", [10, 60])
@pytest.mark.parametrize("beyond_m", [-15.0, 0.0, 15.0])
def test_a_truck_parked_at_an_edge_for_a_day_makes_at_most_five_events(
    replay: Replay, every_s: int, beyond_m: float
) -> None:
    chance = random.Random(every_s)
    rows: list[str] = []
    east = north = 0.0
    for second in range(0, 86_400, every_s):
        # Errors that last for two minutes, with 12 m of standard deviation.
        kept = math.exp(-every_s / 120)
        east = kept * east + chance.gauss(0, 12 * math.sqrt(1 - kept * kept))
        north = kept * north + chance.gauss(0, 12 * math.sqrt(1 - kept * kept))
        rows.append(row("v1", second, 150 + beyond_m + east, north))
    yard: Line = {"type": "Polygon", "coordinates": [ring(150)]}
    told = replay(csv(rows), "--fences", replay.features("f.json", [({"name": "yard"}, yard)]))
    visits = told.of("visit")
    assert sum(2 - visit["open"] for visit in visits) <= 5
    assert visits or beyond_m > 0


def test_no_delivery_is_missed_though_each_stands_at_an_edge(replay: Replay) -> None:
    chance = random.Random(3)
    rows: list[str] = []
    second = east_m = 0
    for number in range(1, 21):
        while east_m < 3000 * number - 145:
            rows.append(row("v1", second, east_m + chance.gauss(0, 5), chance.gauss(0, 5)))
            second, east_m = second + 10, east_m + 150
        for _ in range(chance.randint(12, 60)):
            place = 3000 * number - 145
            rows.append(row("v1", second, place + chance.gauss(0, 5), chance.gauss(0, 5)))
            second += 10
    fences = [
        ({"name": f"customer {i}"}, {"type": "Polygon", "coordinates": [ring(150, 3000 * i)]})
        for i in range(1, 21)
    ]
    told = replay(csv(rows), "--fences", replay.features("f.json", fences))
    assert [visit["fence"] for visit in told.of("visit")] == [name["name"] for name, _ in fences]


@pytest.mark.parametrize(
    ("option", "document", "said"),
    [
        ("--routes", '{"type": "FeatureCollection"', "not JSON"),
        ("--routes", '{"type": "Point"}', "not a GeoJSON FeatureCollection"),
        ("--routes", '{"features": [{"geometry": {"type": "LineString"}}]}', "'vehicle'"),
        ("--fences", '{"features": [{"properties": {}}]}', "feature 1 has no geometry"),
    ],
)
def test_files_of_places_that_cannot_be_used_are_said(
    replay: Replay, option: str, document: str, said: str
) -> None:
    file = replay.write("places.json", document)
    told = replay("device,time,lat,lon\n", option, str(file))
    assert told.status == 2
    assert "places.json" in told.errors
    assert said in told.errors


def test_a_fence_at_a_pole_and_one_that_is_no_area_are_refused_by_name(replay: Replay) -> None:
    pole: Line = {"type": "Point", "coordinates": [0, 89.0]}
    for properties, shape, said in (
        ({"name": "north", "radius_m": 1000}, pole, "too near to a pole"),
        ({"name": "north"}, {"type": "Point", "coordinates": [0, 10.0]}, "radius_m"),
        ({"name": "north", "width_m": -1}, line_of(straight, 1000), "width_m"),
    ):
        fences = replay.features("f.json", [(properties, shape)])
        told = replay("device,time,lat,lon\n", "--fences", fences)
        assert told.status == 2
        assert "'north'" in told.errors
        assert said in told.errors


GPX = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="http://x"><trk>{name}
<trkseg>{points}</trkseg></trk></gpx>
"""


def point(seconds: float, east_m: float, more: str = "") -> str:
    lon, lat = lonlat(east_m)
    return f'<trkpt lat="{lat}" lon="{lon}"><time>{iso(seconds)}</time>{more}</trkpt>'


def test_gpx_and_geojson_tell_what_a_csv_of_the_same_fixes_tells(replay: Replay) -> None:
    metres = [0, 0, 0, 1000, 2000, 3000, 3000, 3000, 3000]
    lonlats, times = [lonlat(m) for m in metres], [iso(60 * i) for i in range(len(metres))]
    rows = [f"v1,{when},{lat},{lon},6" for when, (lon, lat) in zip(times, lonlats, strict=True)]
    from_csv = replay(csv(rows, "device,time,lat,lon,accuracy"))
    extension = "<ele>5</ele><extensions><x:accuracy>6</x:accuracy></extensions>"
    points = "".join(point(60 * i, m, extension) for i, m in enumerate(metres))
    gpx = replay.write("track.gpx", GPX.format(name="<name>v1</name>", points=points))
    line = ({"device": "v1", "coordTimes": times}, {"type": "LineString", "coordinates": lonlats})
    dots = [
        ({"device": "v1", "time": when, "accuracy": 6}, {"type": "Point", "coordinates": place})
        for when, place in zip(times, lonlats, strict=True)
    ]
    assert len(from_csv.of("trip")) == len(from_csv.of("stop")) == 1
    for file in (gpx, replay.features("l.geojson", [line]), replay.features("d.geojson", dots)):
        assert replay(Path(file)).lines == from_csv.lines


def test_a_gpx_that_breaks_off_loses_nothing_of_what_came_before(replay: Replay) -> None:
    points = "".join(point(60 * i, 1000.0 * i) for i in range(6))
    whole = GPX.format(name="", points=points + '<trkpt lat="1"/>')
    cut = replay.write("cut.gpx", whole[: whole.index("</trkseg>")])
    told = replay(cut)
    assert told.status == 2
    assert "no element found" in told.errors
    assert told.of("trip")[0]["distance_m"] == pytest.approx(5000, rel=1e-3)
    assert [line["reason"] for line in told.lines if line["type"] == "reject"] == ["no time"]


def test_a_gpx_with_entities_is_refused_before_they_grow(replay: Replay) -> None:
    bomb = '<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><gpx><trk>&b;</trk></gpx>'
    told = replay(replay.write("bomb.gpx", bomb))
    assert told.status == 2
    assert "document type" in told.errors
