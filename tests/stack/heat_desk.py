"""A heat map without servers: the real API, reading and folding over a store in memory.

Trackers of real browsers post to it, overlays read from it; nothing stands between the two but the
code that ships. Kafka and Valkey are left out, which other tests have.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from playwright.sync_api import Page, sync_playwright

from services.common.reading import Sender
from services.heatmap.api import build
from services.heatmap.events import Batch, HeatSchema, decode, element_id
from services.heatmap.folding import fold
from services.heatmap.grid import LEVEL_MS, Variant
from services.heatmap.live import Streams
from services.heatmap.looking import Looking
from tests.stack.browser import CHROMIUM, TIMEOUT_MS
from tests.stack.shop import running
from tests.unit.heatmap.fake_heat import FakeHeat

# As a person has it: not marked as driven by a program, which counts as a bot.
FLAGS = ("--no-sandbox", "--disable-blink-features=AutomationControlled")
PAGE = (Path(__file__).parent / "heat_page.html").read_text()
INSERTED = "<section><h2>News</h2><p>Inserted above everything else.</p></section>" * 2
BETWEEN = "<p>A paragraph that was inserted among the others, as long as a line or two are.</p>"
TRACKER = '<script src="/tracker.js" data-site="demo"></script>'
OVERLAY = '<script src="/overlay.js" data-site="demo"></script>'


class Ends:
    """A topic without records."""

    async def ends(self) -> Mapping[int, int]:
        return {0: 0}


class Desk:
    """What was posted, and the store that it was folded into."""

    def __init__(self) -> None:
        self.heat = FakeHeat()
        self.batches: list[Batch] = []
        self._schema = HeatSchema(["demo"])

    def take(self, body: bytes) -> None:
        """A body of a tracker, from the collector's door to the grids."""
        sender = Sender(int(time.time() * 1000), is_bot=False, is_staff=False, visitor=lambda _: 1)
        value = self._schema.read(body, sender).value
        assert value is not None
        batch = decode(value)
        self.batches.append(batch)
        self.heat.selectors |= {element_id(selector): selector for selector in batch.elements}
        folded = fold([batch])
        for number, bucket, tally in folded.levels["5s"].tallies():
            variant = Variant(*folded.variants[number].split("|", 4))
            self.heat.add(bucket * LEVEL_MS["5s"], tally, variant)

    def app(self) -> FastAPI:
        """The API, the collector's address, a page to click on and the scripts."""
        app = build(Looking(self.heat, ["demo"]), Streams(self.heat), Ends(), {})
        serve_page(app)

        @app.post("/collect")
        async def collect(request: Request) -> JSONResponse:
            self.take(await request.body())
            return JSONResponse({"flush_ms": 1000, "watched": True})

        return app


def serve_page(app: FastAPI, scripts_from: str = "") -> None:
    """Add a page to click on, whose scripts come from this origin; empty: from its own."""

    @app.get("/page/{name}")
    async def page(
        name: str, tracker: bool = False, overlay: bool = False, inserted: bool = False
    ) -> HTMLResponse:
        values = {
            "version": "b" if inserted else "a",
            "inserted": INSERTED if inserted else "",
            "between": BETWEEN if inserted else "",
            "scripts": TRACKER * tracker + OVERLAY * overlay,
        }
        text = PAGE
        for key, value in values.items():
            text = text.replace("{{" + key + "}}", value)
        return HTMLResponse(text.replace('src="/', f'src="{scripts_from}/'))


@contextmanager
def open_desk() -> Iterator[tuple[Desk, str]]:
    """A desk and its address."""
    desk = Desk()
    with running(desk.app()) as url:
        yield desk, url


@contextmanager
def window(url: str, width: int = 1440, height: int = 900) -> Iterator[Page]:
    """A browser's window over `url`, which must show no error."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=list(FLAGS),
        )
        context = browser.new_context(base_url=url, viewport={"width": width, "height": height})
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert complaints == []


CENTROID = """([x, y, reach]) => {
  const { shadowRoot } = document.querySelector('live-heat-map');
  const canvas = shadowRoot.querySelector('canvas.points');
  const cell = canvas.getBoundingClientRect().width / canvas.width;
  const {width, height} = canvas;
  const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let row = 0; row < height; row += 1) for (let column = 0; column < width; column += 1) {
    const [atX, atY] = [(column + 0.5) * cell, (row + 0.5) * cell];
    if (Math.abs(atX - x) > reach || Math.abs(atY - y) > reach) continue;
    const alpha = data[(row * width + column) * 4 + 3];
    mass += alpha; sumX += alpha * atX; sumY += alpha * atY;
  }
  return [mass, sumX / mass, sumY / mass];
}"""
"""What is painted within `reach` px of (x, y): how much, and where its middle is in the window."""


def painted(
    page: Page, x: float = 0, y: float = 0, reach: float = 1e6
) -> tuple[float, float, float]:
    """Read back from the overlay's canvas: opacity in all, and the middle of it."""
    mass, middle_x, middle_y = page.evaluate(CENTROID, [x, y, reach])
    return float(mass), float(middle_x or 0), float(middle_y or 0)


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])
