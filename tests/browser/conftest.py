"""One Chromium and one running demo for a module of browser tests. Module scope, because
Playwright's loop, while it lives, would be in the way of other tests' own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.visitors import CHROMIUM_MISSING, Visitors
from tests.support.demo import RunningDemo, demo

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 15_000
"""A page is drawn by software here, beside a whole running system."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path is not None, CHROMIUM_MISSING
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def system(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The whole demo; the browser is up before it, so that no alert of its plot is missed."""
    del chromium
    with demo(tmp_path_factory.mktemp("browser") / "state") as running:
        running.wait_ready()
        yield running


@pytest.fixture(scope="module")
def visitors(chromium: Browser, system: RunningDemo) -> Visitors:
    """Opens pages and remembers what they asked for."""
    file = system.file()
    return Visitors(chromium, f"http://127.0.0.1:{file['ports']['api']}", file["viewer_token"])


@pytest.fixture(scope="module")
def wall(visitors: Visitors, system: RunningDemo) -> Page:
    """A screen that signed in by the form and then stays open for the whole module."""
    page = visitors.open("/")
    login = system.file()["login"]
    visitors.sign_in(page, login["user"], login["password"])
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    return page


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which the dashboard's packages bring along."""
    packages = Path(__file__).parents[2] / "dashboard/node_modules"
    return (packages / "axe-core/axe.min.js").read_text()
