"""The page Reports as a planner uses it: real Chromium, real api, a week that is known by heart."""

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitors import CHROMIUM_MISSING, Visitors, accessibility_violations
from tests.integration.api.running import PASSWORD, add_token, add_user, running_api, settings
from tests.integration.store import report_world
from tests.integration.store.past_world import insert
from tests.integration.store.report_world import local, shipment, trip, visit
from tests.support.postgres import DatabaseServer, on_ci
from waystock.store.connection import Database, connect

if shutil.which("chromium") is None and not on_ci():
    pytest.skip(CHROMIUM_MISSING, allow_module_level=True)

STATIC = Path(__file__).parents[2] / "api/waystock_api/static"
VIEWER = "wst_viewer"
WEEK = "first_day=2026-11-16&last_day=2026-11-22"
TRIPS = 250
DESK, PHONE = (1440, 900), (390, 844)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def add_week(database: Database) -> None:
    """More trips than a page of the table; waiting that costs; stops in and out of time."""
    report_world.fill(database)
    database.execute("UPDATE vehicle SET plate = '沪A·D3172' WHERE vehicle = 't01'")
    insert(database, "trip", [
        trip(("t01", "t02")[n % 2], local(16, 0, 40 * n), local(16, 0, 40 * n + 30), 12.5)
        for n in range(TRIPS - 1)
    ])  # fmt: skip
    insert(database, "trip", [trip("t01", local(22, 22), None, None)])
    for day in range(16, 21):
        for vehicle, fence, customer in (("t01", "f-shop", "shop"), ("t02", "f-mill", "mill")):
            came = local(day, 9 if day % 2 else 11)
            due = (fence, customer, local(day, 10), came if vehicle == "t01" else None)
            shipment(database, f"S{day}-{vehicle}", vehicle, local(day, 6), due)
            insert(database, "visit", [
                visit(vehicle, "yard", local(day, 4), local(day, 6)),
                visit(vehicle, fence, came, local(day, 14, 30)),
            ])  # fmt: skip
            insert(database, "vehicle_stop", [
                {"vehicle": vehicle, "arrived_at": came, "departed_at": local(day, 14, 30),
                 "lat": 31.0, "lon": 121.5}
            ])  # fmt: skip
    insert(database, "detention_rate", [
        {"rate_per_h": 90, "currency": "CNY", "customer": None},
        {"rate_per_h": 25, "currency": "EUR", "customer": "mill"},
    ])  # fmt: skip


@pytest.fixture(scope="module")
def visitors(chromium: Browser, postgres_server: DatabaseServer) -> Iterator[Visitors]:
    with postgres_server.migrated_database() as url:
        with connect(url, "test") as database:
            add_week(database)
        add_token(url, VIEWER, "viewer")
        add_user(url, "ann", "operator")
        with running_api(settings(url, static_dir=STATIC)) as api:
            yield Visitors(chromium, api.url, VIEWER)


@pytest.fixture(scope="module")
def desk(visitors: Visitors) -> Page:
    """A planner who signed in by the form."""
    page = visitors.open(f"/reports?{WEEK}", size=DESK)
    visitors.sign_in(page, "ann", PASSWORD)
    expect(page.get_by_test_id("table")).to_be_visible()
    return page


def choose(page: Page, report: str) -> None:
    page.locator(f'[data-report="{report}"]').click()
    expect(page.locator(f'[data-report="{report}"]')).to_have_attribute("aria-pressed", "true")


def test_a_week_of_trips_is_on_the_page_with_the_sums_of_all_rows(desk: Page) -> None:
    choose(desk, "trips")
    expect(desk.get_by_test_id("count")).to_have_text(f"200 of {TRIPS} rows")
    expect(desk.locator('[data-sum="distance_km"]')).to_have_text("3,112.5")
    desk.get_by_test_id("more").click()
    expect(desk.locator("tbody tr")).to_have_count(TRIPS)
    expect(desk.get_by_test_id("more")).to_have_count(0)
    expect(desk.locator("tbody")).to_contain_text("still going on")
    expect(desk.locator("tbody tr").first).to_contain_text("Mon 16 Nov 00:00")


def test_what_is_chosen_is_in_the_address_and_can_be_sent_to_somebody(
    desk: Page, visitors: Visitors
) -> None:
    choose(desk, "trips")
    desk.locator('[data-filter="vehicle"]').select_option("t02")
    desk.get_by_test_id("show").click()
    expect(desk.get_by_test_id("count")).to_have_text("124 of 124 rows")
    address = desk.url.removeprefix(visitors.origin)
    assert "vehicle=t02" in address
    other = visitors.open(f"{address}#token={VIEWER}", size=DESK)
    expect(other.get_by_test_id("count")).to_have_text("124 of 124 rows")
    other.context.close()
    desk.locator('[data-filter="vehicle"]').select_option("")
    desk.get_by_test_id("show").click()
    expect(desk.get_by_test_id("count")).to_have_text(f"200 of {TRIPS} rows")


def test_what_waiting_cost_is_summed_currency_by_currency(desk: Page) -> None:
    choose(desk, "detention")
    expect(desk.locator('[data-sum="cost"] div')).to_have_count(2)
    expect(desk.locator('[data-sum="cost"]')).to_contain_text("1,035.00 CNY")
    expect(desk.locator('[data-sum="cost"]')).to_contain_text("287.50 EUR")


def test_unknown_stands_beside_on_time_and_late(desk: Page) -> None:
    choose(desk, "punctuality")
    desk.get_by_test_id("by").select_option("customer")
    desk.get_by_test_id("show").click()
    expect(desk.locator("tbody tr")).to_have_count(2)
    expect(desk.locator('[data-sum="planned"]')).to_have_text("10")
    counted = ("planned", "on_time", "late", "unknown")
    sums = [int(desk.locator(f'[data-sum="{name}"]').inner_text()) for name in counted]
    assert sums == [10, 2, 8, 0]
    # How late those were that never came is not known, and not 0 either.
    expect(desk.locator("tbody tr", has_text="Mill")).to_contain_text("–")


def test_the_file_that_is_taken_along_is_the_whole_report(desk: Page) -> None:
    choose(desk, "trips")
    expect(desk.get_by_test_id("count")).to_have_text(f"200 of {TRIPS} rows")
    for kind in ("xlsx", "gpx", "geojson", "json", "csv"):
        with desk.expect_download() as started:
            desk.locator(f'[data-format="{kind}"]').click()
        file = started.value
        assert file.suggested_filename == f"all-trips-2026-11-16-to-2026-11-22.{kind}"
    text = file.path().read_text("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == TRIPS
    choose(desk, "mileage")
    expect(desk.locator('[data-format="gpx"]')).to_have_count(0)


def test_an_empty_report_says_why_and_leads_out(visitors: Visitors) -> None:
    page = visitors.open(
        f"/reports?report=trips&first_day=2026-01-01&last_day=2026-01-02#token={VIEWER}", size=DESK
    )
    empty = page.get_by_test_id("empty")
    expect(empty).to_contain_text("goes from 2026-11-16 to 2026-11-22")
    empty.get_by_role("button").click()
    expect(page.get_by_test_id("count")).to_have_text(f"200 of {TRIPS} rows")
    page.locator('[data-filter="customer"]').select_option("shop")
    page.locator('[data-filter="vehicle"]').select_option("t02")
    page.get_by_test_id("show").click()
    expect(empty).to_contain_text("Take away a filter")
    empty.get_by_role("button").click()
    expect(page.get_by_test_id("table")).to_be_visible()
    page.context.close()


def test_who_may_not_see_a_report_is_told_what_it_needs(visitors: Visitors) -> None:
    before = len(visitors.complaints)
    page = visitors.open(f"/reports?report=detention&{WEEK}#token={VIEWER}", size=DESK)
    expect(page.get_by_test_id("problem")).to_contain_text("needs the role operator")
    expect(page.get_by_test_id("table")).to_have_count(0)
    choose(page, "stops")
    expect(page.get_by_test_id("problem")).to_be_empty()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.context.close()
    # The browser itself notes the refusal; it is the one complaint there may be.
    assert all("403" in each for each in visitors.complaints[before:])
    del visitors.complaints[before:]


def test_every_word_is_chinese_where_chinese_is_asked_for(visitors: Visitors) -> None:
    page = visitors.open(f"/reports?report=stops&lang=zh&{WEEK}#token={VIEWER}", size=DESK)
    expect(page.get_by_test_id("table")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    words = page.locator("h1, h2, thead th, .tab, button:not([data-format]):not([aria-label])")
    plain = [text for text in words.all_inner_texts() if not CHINESE.search(text)]
    assert plain == []
    expect(page.locator("tbody tr").first).to_contain_text("11月16日")
    page.context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_wide_table_scrolls_within_the_page_and_keeps_its_headings_in_view(
    visitors: Visitors, size: tuple[int, int], axe: str
) -> None:
    page = visitors.open(f"/reports?report=visits&{WEEK}#token={VIEWER}", size=size)
    expect(page.get_by_test_id("sums")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    region = page.locator(".scroll")
    region.evaluate("node => node.scrollTo(node.scrollWidth, node.scrollHeight)")
    frame = region.bounding_box()
    assert frame is not None
    for selector in ("thead th:first-child", "tbody tr:last-child th", "tfoot th:first-child"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert abs(box["x"] - frame["x"]) < 3, selector
    head = page.locator("thead th").last.bounding_box()
    assert head is not None
    assert abs(head["y"] - frame["y"]) < 3
    for theme in ("light", "dark"):
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert accessibility_violations(page, axe) == [], theme
        page.get_by_test_id("theme").click()
    small = page.locator("button, select, input").evaluate_all(
        "all => all.filter(each => each.checkVisibility()"
        " && each.getBoundingClientRect().height < 43).length"
    )
    assert small == 0
    page.context.close()


def test_the_page_asks_nobody_else_and_complains_of_nothing(visitors: Visitors, desk: Page) -> None:
    expect(desk.get_by_test_id("table")).to_be_visible()
    assert visitors.foreign() == []
    assert visitors.complaints == []
