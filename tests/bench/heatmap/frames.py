"""What one frame of the overlay costs: a window of 1440 x 900 that scrolls in every frame.

Over 200 rows of exposure, 2,000 spots and a pointer in each of 12,800 cells, all layers on, with
nothing holding the browser to the screen's rate: the time from one frame to the next is then all
that a frame takes, scripts, layout, painting and compositing.
"""

import random
import statistics
import time

import numpy as np
from playwright.sync_api import Page, ViewportSize, sync_playwright

from services.common.figures import Figure
from services.heatmap.events import element_id
from services.heatmap.grid import CELLS, ENTRY, ROWS, Layer, Variant, key
from tests.stack.browser import CHROMIUM
from tests.stack.heat_desk import FLAGS, Desk, open_desk
from tests.waiting import until

SIZE: ViewportSize = {"width": 1440, "height": 900}
SPOTS = 2000
FRAMES = 100
ROUNDS = 6
DEADLINE_S = 60
HEARING = "live-heat-map .panel .dot[data-state=live]"
COUNT = "live-heat-map .layer b"
UNBOUND = ("--disable-gpu-vsync", "--disable-frame-rate-limit")
WHERE = Variant("demo", "xl", "human", "a", "/page/frames")
ELEMENTS = (
    "h1", "#start", "aside", ".picture", "footer>p", "nav>button",
    *(f"nav>a:nth-of-type({i})" for i in (1, 2)),
    *(f"article>p:nth-of-type({i})" for i in (1, 2, 3)),
    *(f"article li:nth-of-type({i})" for i in (1, 2, 3)),
    *(f"main>section>div:nth-of-type({i})>{name}" for i in (1, 2, 3) for name in ("h2", "p")),
    *(f"tr:nth-of-type({i})>{name}" for i in (1, 2) for name in ("th", "td")),
)  # fmt: skip

SCROLL = """async (frames) => {
  const host = document.querySelector("live-heat-map");
  const [scripts, times] = [[], []];
  host?.addEventListener("painted", ({ detail }) => scripts.push(detail.took));
  const next = () => new Promise(requestAnimationFrame);
  for (let frame = 0; frame < frames; frame += 1) {
    // Never against an end of the page: a frame in which nothing moves waits for the screen.
    scrollBy(0, frame % 20 < 10 ? 20 : -20);
    times.push(await next());
  }
  return { scripts, frames: times.slice(1).map((time, i) => time - times[i]) };
}"""


def frames(command: str) -> Figure:
    """The 95th percentile of a frame's time."""
    with open_desk() as (desk, url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *UNBOUND])
        page = browser.new_page(base_url=url, viewport=SIZE)
        page.goto("/page/frames")
        bare = page.evaluate(SCROLL, FRAMES)["frames"]
        fill(desk)
        show_everything(page)
        rounds = [page.evaluate(SCROLL, FRAMES) for _ in range(ROUNDS)]
        browser.close()
    found = [p95(one["frames"]) for one in rounds]
    quiet = rounds[found.index(min(found))]
    spread = (
        f"{min(found)}..{max(found)} in {ROUNDS} rounds; median {median(quiet['frames'])}, scripts "
        f"alone {median(quiet['scripts'])}; p95 without the overlay {p95(bare)}"
    )
    return Figure("heatmap.frame_ms_p95", min(found), "ms", command, spread)


def median(values: list[float]) -> float:
    return round(statistics.median(values), 1)


def p95(values: list[float]) -> float:
    return round(statistics.quantiles(values, n=20)[-1], 1)


def fill(desk: Desk) -> None:
    """A minute of everything: spots in elements, pointers, rows, visits that got to the end."""
    drawn = random.Random(1)
    ids = {element_id(selector): selector for selector in ELEMENTS}
    desk.heat.selectors |= ids
    known = sorted(ids)
    entries = [
        (key(Layer.CLICK, drawn.randrange(CELLS), drawn.choice(known), drawn.randrange(1 << 20)), 1)
        for _ in range(SPOTS)
    ]
    entries += [(key(Layer.MOVE, cell), 1 + cell % 7) for cell in range(CELLS)]
    entries += [(key(Layer.VIEW, row), 500 if row < ROWS // 2 else -500) for row in range(ROWS)]
    entries += [(key(Layer.VISIT, 0), 9), (key(Layer.REACH, 0), 9), (key(Layer.REACH, 90), -9)]
    desk.heat.add(int(time.time() * 1000), np.array(entries, ENTRY), WHERE)


def show_everything(page: Page) -> None:
    page.goto("/page/frames?overlay=1")
    page.wait_for_selector(HEARING)
    for box in page.locator("live-heat-map .layer input").all():
        box.check()
    until(lambda: page.locator(COUNT).first.inner_text() == f"{SPOTS:,}", DEADLINE_S)
