"""Browser contexts for tests: each like a new visitor's, all watched for requests and complaints;
and what a test asks of a page in JavaScript (sent by the debugger, so the page's policy holds).
"""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM_MISSING = "no chromium: `apt-get install chromium` gives it"
SMALL = (1280, 720)

NOTE_ALERTS = """
window.alertsSeen = {};
new MutationObserver(() => {
  for (const each of document.querySelectorAll('[data-testid="alert"]'))
    window.alertsSeen[each.dataset.alertId] ??= Date.now();
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
"""Before the page's own scripts: when each alert was first on the page, by the browser's clock."""

_TEXTS = """
() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const holder = node.parentElement;
    if (node.data.trim() === "" || holder.closest("script, style")) continue;
    if (!holder.checkVisibility({ visibilityProperty: true })) continue;
    if (holder.closest(".aside")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, top, right, bottom } = range.getBoundingClientRect();
    const frame = holder.closest(".panel, .card, header")?.getBoundingClientRect();
    const size_px = parseFloat(getComputedStyle(holder).fontSize);
    const air = size_px / 4;  // A font's box is higher than any of its letters.
    const cut = holder.closest('.clip, p, [data-testid="ticker"]') !== null;
    const out = frame !== undefined && !cut && (left < frame.left - 1 || right > frame.right + 1 ||
      top + air < frame.top || bottom - air > frame.bottom);
    texts.push({ text: node.data.trim(), size_px, sticks_out: out });
  }
  return texts;
}
"""

_AXE = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map((each) =>
    `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
}
"""


class Text(NamedTuple):
    """A piece of text that can be seen."""

    text: str
    size_px: float
    sticks_out: bool


class Visitors:
    """Whoever looks at the pages of one running system."""

    def __init__(self, browser: Browser, origin: str, device_token: str) -> None:
        self.origin = origin
        self.device_token = device_token
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._browser = browser

    def open(self, path: str, *, size: tuple[int, int] = SMALL, locale: str = "en-GB") -> Page:
        """A new visitor, with nothing remembered, at `path`."""
        width, height = size
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale=locale
        )
        context.add_init_script(NOTE_ALERTS)
        context.on("request", self._note_request)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        page = context.new_page()
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.goto(self.origin + path)
        return page

    def open_device(self, query: str = "") -> Page:
        """An unattended screen, as its device token opens it."""
        return self.open(f"/{query}#token={self.device_token}")

    def sign_in(self, page: Page, user: str, password: str) -> None:
        """Fill in the form and send it."""
        form = page.get_by_test_id("sign-in")
        form.locator("input[name=username]").fill(user)
        form.locator("input[name=password]").fill(password)
        form.locator("button[type=submit]").click()

    def foreign(self) -> list[str]:
        """What was asked of anybody but our own server."""
        own = urlsplit(self.origin).netloc
        outward = {"http", "https", "ws", "wss"}
        parts = [(url, urlsplit(url)) for url in self.asked]
        return [url for url, part in parts if part.scheme in outward and part.netloc != own]

    def _note_request(self, request: Request) -> None:
        self.asked.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        """Errors; but that somebody isn't signed in yet is how the page finds out."""
        if message.type == "error" and "401" not in message.text:
            self.complaints.append(f"{message.text} ({message.location['url']})")


def texts(page: Page) -> list[Text]:
    """All text on the page that can be seen."""
    found: list[dict[str, Any]] = page.evaluate(_TEXTS)
    return [Text(each["text"], each["size_px"], each["sticks_out"]) for each in found]


def accessibility_violations(page: Page, axe: str) -> list[str]:
    """What axe finds wrong with the page as it is now."""
    page.evaluate(axe)
    found: list[str] = page.evaluate(_AXE)
    return found


def loaded_at(page: Page) -> float:
    """When this document was loaded, epoch ms; another after a reload."""
    at: float = page.evaluate("performance.timeOrigin")
    return at
