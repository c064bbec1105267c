"""People who read a page that carries the tracker, and what they do there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.stack.browser import CHROMIUM, TIMEOUT_MS
from tests.stack.recorder import Posted, Recorder
from tests.waiting import until

DEADLINE_S = 60
WIDTH, HEIGHT, DOCUMENT = 1000, 800, 8000
SCRIPT = '<script src="/tracker.js" data-site="demo" async></script>'
STYLE = """<style>
  body { margin: 0 } main { position: relative; height: 8000px; overflow: hidden }
  p { margin: 0 }
  main > * { position: absolute; left: 100px; width: 200px; height: 100px; margin: 0 }
  button { border: 0 } header { position: fixed; inset: 0 0 auto; height: 40px; z-index: 1 }
</style>"""
BODY = """
<header><button id="menu">Menu</button></header>
<main>
  <button id="buy" style="top: 100px">Buy</button>
  <button id="dead" style="top: 300px">Nothing</button>
  <button id="alive" style="top: 500px"
    onclick="this.textContent = 'Done'">Something</button>
  <p style="top: 700px" data-name="words">Some words to read.</p>
  <div id="ignored" data-heat-ignore style="top: 900px"><button id="secret">Secret</button></div>
  <div id="inner" style="top: 1100px; overflow: auto"><p style="height: 1000px">In</p></div>
  <div id="host" style="top: 1300px"></div>
  <label style="top: 1500px"><input type="checkbox" id="box"> A box</label>
  <a id="away" href="/other" style="top: 1700px">Away</a>
  <ul style="top: 1900px">
    <li>one</li><li id="user-123456">two</li><li data-mail="a@b.c">three</li>
  </ul>
</main>
<script>
  document.getElementById("host").attachShadow({ mode: "open" }).innerHTML =
    "<div><button>One</button><button style='border: 0; height: 50px'>Two</button></div>";
</script>"""
FRAMES = """async (n = 2) => {
  for (let i = 0; i < n; i += 1) await new Promise(requestAnimationFrame);
}"""


def document(script: str = SCRIPT, body: str = BODY, head: str = "") -> str:
    return f"<!doctype html><html><head>{STYLE}{head}</head><body>{body}{script}</body></html>"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that does not say it is driven, as people's does not."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-blink-features=AutomationControlled"],
        )
        yield browser
        browser.close()


@contextmanager
def reader(
    browser: Browser, recorder: Recorder, path: str = "/page", before: str = ""
) -> Iterator[Page]:
    """A person who has the page open, once the tracker saw a frame of it; no script may fail."""
    context = browser.new_context(
        base_url=recorder.url, viewport={"width": WIDTH, "height": HEIGHT}
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    if before:
        page.add_init_script(before)
    page.goto(path)
    settle(page)
    yield page
    context.close()
    assert trouble == []


def settle(page: Page) -> None:
    """Let the tracker read the geometry for what happened so far."""
    page.evaluate(FRAMES)


def leave(page: Page, recorder: Recorder) -> None:
    """Go elsewhere, and wait for what the tracker sends last."""
    settle(page)
    page.goto("about:blank")
    until(
        lambda: answering(page) and any("bye" in post.body for post in recorder.posts), DEADLINE_S
    )


def answering(page: Page) -> bool:
    """Lets the browser's events through while waiting."""
    return bool(page.evaluate("true"))


def come(page: Page, recorder: Recorder, posts: int) -> None:
    until(lambda: answering(page) and len(recorder.posts) >= posts, DEADLINE_S)


def turn_away(page: Page) -> None:
    """What a browser tells a page that is not seen any more."""
    page.evaluate("away = true; document.dispatchEvent(new Event('visibilitychange'))")


def turn_back(page: Page) -> None:
    page.evaluate("away = false; document.dispatchEvent(new Event('visibilitychange'))")


CAN_HIDE = """
  window.away = false;
  Object.defineProperty(document, "hidden", { get: () => window.away });
"""
CAN_BLUR = "window.elsewhere = false; document.hasFocus = () => !window.elsewhere;"


def press(page: Page, selector: str, **options: Any) -> None:
    """A click as a hand does it: down, a frame or some, and up."""
    page.locator(selector).click(delay=60, **options)


def shown_ms(posts: list[Posted]) -> int:
    return sum(row[1] for post in posts for row in post.segments())
