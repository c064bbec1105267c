"""How long a click takes from one window into the picture in another, and what a frame costs.

A real click in a window of Chromium goes through tracker, collector, Kafka, worker and Valkey of a
demo of its own, with simulated visitors beside it, until the frame after the one that drew it
begins in another window; both windows read the same clock. The two are of another origin than the
heat map, as sites are.
"""

import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from fastapi import FastAPI
from playwright.sync_api import Page, sync_playwright

from services.common.figures import Figure
from tests.bench.heatmap.frames import HEARING, SIZE, frames
from tests.demo import DEMO, Demo, own_settings, running_demo
from tests.stack.browser import CHROMIUM
from tests.stack.heat_desk import FLAGS, serve_page
from tests.stack.shop import running
from tests.waiting import until

COMMAND = "make bench SERVICE=heatmap PARTS=paint"
CLICKS = 200
PAUSE_MS = (150, 450)
VISITORS_PER_MINUTE = 60
DEADLINE_S = 60
# A browser without a screen says so in its name, and counts as a bot.
PERSON = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)
PLACES = "main :is(h1, h2, p, li, td, aside)"

AIM = """([selector, index]) => {
  const element = document.querySelectorAll(selector)[index];
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const { left, top, width, height } = element.getBoundingClientRect();
  return [left + width / 3, top + height / 2];
}"""
NOTE_CLICKS = """() => {
  window.clicked = [];
  const note = ({ timeStamp }) => clicked.push(performance.timeOrigin + timeStamp);
  addEventListener("click", note, { capture: true });
}"""
NOTE_FRAMES = """() => {
  window.shown = [];
  const now = () => performance.timeOrigin + performance.now();
  document.querySelector("live-heat-map").addEventListener("painted", ({ detail }) =>
    requestAnimationFrame(() => shown.push([detail.clicks, now()])));
}"""


def measure() -> list[Figure]:
    """The 95th percentile of frames; median and 99th percentile from click to paint."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, own_demo(Path(folder)) as demo:
        heat_url = demo.url("HEATMAP_PORT")
        httpx2.put(f"{heat_url}/v1/visitors", json={"per_minute": VISITORS_PER_MINUTE})
        site = FastAPI()
        serve_page(site, scripts_from=heat_url)
        with running(site) as url:
            taken_s = click_to_paint_s(url)
    return [frames(COMMAND), *figures(taken_s)]


@contextmanager
def own_demo(folder: Path) -> Iterator[Demo]:
    """The heat map alone, as it ships."""
    settings = own_settings((folder / "var").resolve())
    with running_demo(settings, folder / "demo.log", (*DEMO, "--only", "heatmap")) as demo:
        yield demo


def figures(taken_s: list[float]) -> list[Figure]:
    cuts = statistics.quantiles(taken_s, n=100)
    spread = f"{min(taken_s):.2f}..{max(taken_s):.2f} of {len(taken_s)} clicks"
    return [
        Figure("heatmap.click_to_paint_p50_s", round(cuts[49], 3), "s", COMMAND, spread),
        Figure("heatmap.click_to_paint_p99_s", round(cuts[98], 3), "s", COMMAND, spread),
    ]


def click_to_paint_s(url: str) -> list[float]:
    """For each click the seconds until it was painted; none may be missing."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        # Tabs of one window draw at full rate only while they are in front.
        visitor, viewer = (
            browser.new_context(base_url=url, viewport=SIZE, user_agent=PERSON).new_page()
            for _ in range(2)
        )
        # As staff, so that simulated people do not count among these clicks.
        visitor.goto("/page/clicked?tracker=1&heat-staff=1")
        settle(visitor)
        viewer.goto("/page/clicked?overlay=1")
        viewer.wait_for_selector(HEARING)
        viewer.locator("live-heat-map select").nth(1).select_option("staff")
        viewer.wait_for_selector(HEARING)
        viewer.evaluate(NOTE_FRAMES)
        settle(visitor)
        visitor.evaluate(NOTE_CLICKS)
        before = painted_clicks(viewer)
        click_around(visitor)
        until(lambda: painted_clicks(viewer) >= before + CLICKS, DEADLINE_S)
        clicked = visitor.evaluate("clicked")
        shown = viewer.evaluate("shown")
        browser.close()
    first = first_shown(shown)
    return [(first[before + i + 1] - at_ms) / 1000 for i, at_ms in enumerate(clicked)]


def settle(visitor: Page) -> None:
    """Let the page's first batches go, so that the service knows it and tells who watches."""
    visitor.mouse.click(5, 700)
    visitor.wait_for_timeout(7000)


def click_around(visitor: Page) -> None:
    drawn = random.Random(2)
    count = visitor.locator(PLACES).count()
    for _ in range(CLICKS):
        visitor.mouse.click(*visitor.evaluate(AIM, [PLACES, drawn.randrange(count)]))
        visitor.wait_for_timeout(drawn.randint(*PAUSE_MS))


def painted_clicks(viewer: Page) -> int:
    return int(viewer.evaluate("Math.max(0, ...shown.map(([clicks]) => clicks))"))


def first_shown(shown: list[tuple[int, float]]) -> dict[int, float]:
    """When each number of clicks was first painted, or passed."""
    first: dict[int, float] = {}
    for clicks, at_ms in shown:
        for number in range(max(first, default=0) + 1, clicks + 1):
            first[number] = at_ms
    return first
