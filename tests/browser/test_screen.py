"""The big screen as people see it: real Chromium, real system, from the sign-in form to the alerts.
The order matters a little: what comes first is on the page before the plot's alerts are.
"""

import os
import re
import shutil
import signal
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitors import (
    CHROMIUM_MISSING,
    Visitors,
    accessibility_violations,
    loaded_at,
    texts,
)
from tests.support.demo import RunningDemo
from tests.support.postgres import on_ci
from tests.support.processes import wait_until

if shutil.which("chromium") is None and not on_ci():
    pytest.skip(CHROMIUM_MISSING, allow_module_level=True)

TRUCKS = 20
ALERTS = {
    "shipment.late_predicted",
    "vehicle.off_route",
    "load.wrong_vehicle",
    "receipt.short",
    "stock.low",
}
ALERTS_WITHIN_S = 60
SHOWN_WITHIN_MS = 3000
LABEL_PX_AT_1080P = 28
CODES = re.compile(r"dock-(?:in|out)-\d+")
PLATE = re.compile(r"[\u4e00-\u9fff][A-Z]·\w+")
ENGLISH = re.compile(r"\b[A-Za-z][a-z]{3,}\b")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _state(page: Page, state: str, *, within_s: float = 15) -> None:
    connection = page.get_by_test_id("connection")
    expect(connection).to_have_attribute("data-state", state, timeout=within_s * 1000)


def _figure(page: Page, name: str) -> float:
    card = page.locator(f'[data-testid="kpi"][data-kpi="{name}"]')
    expect(card).to_have_text(re.compile(r"^[\d,]+%?$"))
    return float(card.inner_text().replace(",", "").rstrip("%"))


def test_a_wrong_password_is_told_in_words_and_lets_nobody_in(visitors: Visitors) -> None:
    page = visitors.open("/")
    visitors.sign_in(page, "admin", "not the password")
    problem = page.get_by_test_id("sign-in-problem")
    expect(problem).to_have_text("User name or password is wrong.")
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    assert page.context.cookies() == []
    assert page.request.get(f"{visitors.origin}/api/v1/vehicles").status == 401
    page.context.close()


def test_signing_in_shows_what_is_so_now(wall: Page) -> None:
    expect(wall.get_by_test_id("sign-in")).to_have_count(0)
    expect(wall.get_by_test_id("truck-count")).to_have_attribute("data-count", str(TRUCKS))
    for name in ("stock_units", "transit_units", "on_time"):
        assert _figure(wall, name) > 0
    for site in ("sha", "hgh"):
        total = wall.locator(f'[data-site="{site}"] h3 b')
        expect(total).to_have_text(re.compile(r"^[1-9][\d,]+$"))
    expect(wall.get_by_test_id("banner")).to_have_count(0)


def test_what_goes_wrong_is_on_the_screen_within_seconds_with_the_orders_it_hits(
    wall: Page, system: RunningDemo
) -> None:
    loaded_ms = loaded_at(wall)
    stored_ms: dict[str, float] = {}
    alerts: dict[str, dict[str, Any]] = {}

    def all_stored() -> bool:
        for alert in system.ask("/api/v1/alerts?limit=100")["items"]:
            stored_ms.setdefault(alert["alert_id"], time.time() * 1000)
            alerts[alert["type"]] = alert
        return alerts.keys() >= ALERTS

    wait_until(all_stored, "all five are in the store", within_s=ALERTS_WITHIN_S, every_s=0.1)
    for name in ALERTS:
        shown = wall.locator(f'[data-alert-id="{alerts[name]["alert_id"]}"]')
        expect(shown).to_be_visible()
        orders = alerts[name]["orders"]
        assert orders, f"{name} names no order"
        expect(shown).to_have_attribute("data-orders", " ".join(orders))
        expect(shown.locator(".orders")).to_contain_text(orders[0][-8:])
    seen_ms: dict[str, float] = wall.evaluate("window.alertsSeen")
    late = {
        key: round(seen_ms[key] - at_ms)
        for key, at_ms in stored_ms.items()
        if seen_ms[key] - max(at_ms, loaded_ms + SHOWN_WITHIN_MS) > SHOWN_WITHIN_MS
    }
    assert not late, late
    assert loaded_at(wall) == loaded_ms, "the page was loaded again"


def test_trucks_on_the_road_get_on_before_ones_eyes(wall: Page) -> None:
    first: dict[str, float] = {}
    bars = wall.locator('[data-testid="transit-row"] .bar > i')

    def one_got_on() -> bool:
        now: list[tuple[str, float]] = bars.evaluate_all(
            "all => all.map(each =>"
            " [each.closest('tr').dataset.vehicle, parseFloat(each.style.width)])"
        )
        return any(share > first.setdefault(vehicle, share) for vehicle, share in now)

    wait_until(one_got_on, "a truck's way is longer than before", within_s=20, every_s=0.5)


def test_every_word_follows_the_language_and_the_choice_is_remembered(
    visitors: Visitors, system: RunningDemo
) -> None:
    page = visitors.open_device()
    _state(page, "live")
    expect(page.locator("html")).to_have_attribute("lang", "en-GB")
    labels = page.locator("h2, dt, th")
    english = labels.all_inner_texts()
    foreign = [each.text for each in texts(page) if CHINESE.search(PLATE.sub("", each.text))]
    assert foreign == ["中文"]

    page.get_by_test_id("language").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    same = [
        one for one, other in zip(english, labels.all_inner_texts(), strict=True) if one == other
    ]
    assert not same
    spoken = [each.text for each in texts(page)]
    spoken += page.locator("[aria-label]:not([data-testid=language])").evaluate_all(
        "all => all.map(each => each.getAttribute('aria-label'))"
    )
    left = {text for text in spoken if ENGLISH.search(CODES.sub("", text))}
    products = [each["name"]["zh"] for each in system.ask("/api/v1/products?limit=1000")["items"]]
    names = {text for text in left if any(name in text for name in products)}
    assert left - names == {"Waystock"}
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.context.close()


def test_a_bright_hall_can_have_a_light_screen_and_keeps_it(visitors: Visitors) -> None:
    page = visitors.open_device()
    page_ground = page.locator("body")
    expect(page_ground).to_have_css("background-color", "rgb(10, 15, 20)")
    page.get_by_test_id("theme").click()
    expect(page_ground).to_have_css("background-color", "rgb(233, 237, 240)")
    page.reload()
    expect(page_ground).to_have_css("background-color", "rgb(233, 237, 240)")
    page.context.close()


def test_an_unattended_screen_needs_nobody_to_sign_in(visitors: Visitors) -> None:
    page = visitors.open_device("?site=sha")
    for _ in range(2):
        _state(page, "live")
        expect(page.get_by_test_id("sign-in")).to_have_count(0)
        assert visitors.device_token not in page.url
        expect(page.locator('[data-site="sha"]')).to_be_visible()
        expect(page.locator('[data-site="hgh"]')).to_have_count(0)
        page.reload()
    page.context.close()


def test_an_unattended_screen_whose_token_is_void_says_so(visitors: Visitors) -> None:
    page = visitors.open("/#token=wst_void")
    expect(page.get_by_test_id("sign-in-problem")).to_contain_text(
        "token of this screen was refused"
    )
    page.context.close()


def test_everything_can_be_read_from_afar_on_every_size_of_screen(visitors: Visitors) -> None:
    page = visitors.open_device()
    _state(page, "live")
    expect(page.get_by_test_id("truck-count")).to_have_attribute("data-count", str(TRUCKS))
    for width, height in ((1280, 720), (1920, 1080), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        rem_px = re.compile(rf"^{height * 16 // 1080}(?:\.\d+)?px$")
        expect(page.locator("html")).to_have_css("font-size", rem_px)
        for _ in ("en", "zh"):
            _is_legible(page, LABEL_PX_AT_1080P * height / 1080)
            page.get_by_test_id("language").click()
    page.context.close()


def _is_legible(page: Page, size_px_min: float) -> None:
    shown = texts(page)
    assert len(shown) > 50
    assert [each for each in shown if each.size_px < size_px_min - 0.1] == []
    assert [each.text for each in shown if each.sticks_out] == []
    scrolls: bool = page.evaluate(
        "(({ scrollWidth, scrollHeight }) => scrollWidth > innerWidth ||"
        " scrollHeight > innerHeight)(document.documentElement)"
    )
    assert not scrolls


def test_people_who_see_or_steer_otherwise_are_not_shut_out(visitors: Visitors, axe: str) -> None:
    form = visitors.open("/")
    expect(form.get_by_test_id("sign-in")).to_be_visible()
    assert accessibility_violations(form, axe) == []
    form.context.close()
    screen = visitors.open_device()
    expect(screen.get_by_test_id("alert").first).to_be_visible()
    assert accessibility_violations(screen, axe) == [], "dark"
    screen.get_by_test_id("theme").click()
    expect(screen.locator("html")).to_have_attribute("data-theme", "light")
    assert accessibility_violations(screen, axe) == [], "light"
    screen.context.close()


def test_the_pages_ask_nobody_else_and_complain_of_nothing(visitors: Visitors, wall: Page) -> None:
    assert wall.get_by_test_id("map").locator("canvas").count() == 2
    assert visitors.asked
    assert visitors.foreign() == []
    assert visitors.complaints == []


def test_a_server_that_hangs_shows_as_old_figures(wall: Page, system: RunningDemo) -> None:
    api = system.file()["processes"]["api"]
    os.kill(api, signal.SIGSTOP)
    try:
        _state(wall, "stale", within_s=20)
        expect(wall.get_by_test_id("banner")).to_contain_text("Figures may be old")
    finally:
        os.kill(api, signal.SIGCONT)
    _state(wall, "live")
    expect(wall.get_by_test_id("banner")).to_have_count(0)


def test_a_dead_server_is_said_and_the_screen_recovers_by_itself(
    wall: Page, system: RunningDemo
) -> None:
    loaded_ms = loaded_at(wall)
    before = _figure(wall, "stock_units")
    os.kill(system.file()["processes"]["api"], signal.SIGKILL)
    _state(wall, "lost")
    expect(wall.get_by_test_id("banner")).to_contain_text("Reconnecting by itself")
    assert _figure(wall, "stock_units") == pytest.approx(before, rel=0.1)
    _state(wall, "live", within_s=40)
    expect(wall.get_by_test_id("banner")).to_have_count(0)
    expect(wall.get_by_test_id("truck-count")).to_have_attribute("data-count", str(TRUCKS))
    assert loaded_at(wall) == loaded_ms, "the page was loaded again"
