"""How far from its true place a click is painted: on the same layout, and on others.

Real clicks in Chromium go through the shipped tracker, reading, folding, API and painter; the
middle of what the canvas shows is compared with where the click was inside its element. Elements
are known again by their text, so the truth does not depend on the tracker's selectors. Clicks of
elements that another layout does not have are left out. Two simpler schemes beside it: the pixel
of the page, and the fraction of the page's width and height.
"""

import random
import statistics
from dataclasses import dataclass
from itertools import product
from typing import Any

import httpx2
from playwright.sync_api import Page

from services.common.figures import Figure
from services.heatmap.events import view_class
from tests.stack.heat_desk import Desk, open_desk, painted, window
from tests.waiting import until

COMMAND = "make bench SERVICE=heatmap PARTS=position"
WIDTHS = (375, 768, 1440)
SAME_CLASS = 1680
HEIGHT = 900
TARGETS = "main :is(h1, h2, p, li, button, a, td, th, aside, .picture), nav :is(a, button)"
DEADLINE_S = 60
NOT_PAINTED_PX = 1000.0

AIM = """([selector, index, across, down]) => {
  const element = document.querySelectorAll(selector)[index];
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const box = element.getBoundingClientRect();
  const [x, y] = [box.left + across * box.width, box.top + down * box.height].map(Math.round);
  const target = document.elementFromPoint(x, y);
  const its = target.getBoundingClientRect();
  const page = document.documentElement;
  return {
    x, y, element: target.localName + target.textContent,
    across: (x - its.left) / its.width, down: (y - its.top) / its.height,
    page_x: x + scrollX, page_y: y + scrollY, width: page.scrollWidth, height: page.scrollHeight,
  };
}"""

SET_UP = """async () => {
  const [{ Painter }, { dress }] =
    await Promise.all(["painter", "style"].map((name) => import(`/overlay/${name}.js`)));
  const { marksOf } = await import("/overlay/heat.js");
  const host = document.createElement("live-heat-map");
  const shadow = host.attachShadow({ mode: "open" });
  dress(shadow);
  document.documentElement.append(host);
  const painter = new Painter(shadow, host, () => {});
  window.paintOne = async (spot, elements) => {
    const layers = { move: [], click: [[spot[4], spot[5]]], rage: [], dead: [] };
    const click = marksOf({ layers, spots: [spot], elements }, "click");
    painter.show({ signed: false, marks: { click }, folds: [] });
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  };
}"""

LOCATE = """({ element, across, down }) => {
  const same = (node) => node.localName + node.textContent === element;
  const node = [...document.body.querySelectorAll("*")].find(same);
  if (!node) return null;
  node.scrollIntoView({ block: "center", behavior: "instant" });
  const box = node.getBoundingClientRect();
  const page = document.documentElement;
  return {
    x: box.left + across * box.width, y: box.top + down * box.height,
    left: scrollX, top: scrollY, width: page.scrollWidth, height: page.scrollHeight,
  };
}"""


@dataclass(frozen=True)
class Click:
    """A click as it was made, and the spot that the API tells of it."""

    true: dict[str, Any]
    spot: list[int]


@dataclass(frozen=True)
class Errors:
    """Distances from the true place, in pixels, one for each click that was painted."""

    element: list[float]
    pixel: list[float]
    fraction: list[float]

    @staticmethod
    def together(many: list["Errors"]) -> "Errors":
        return Errors(
            *([error for one in many for error in getattr(one, scheme)] for scheme in SCHEMES)
        )


SCHEMES = ("element", "pixel", "fraction")


def measure() -> list[Figure]:
    """Errors in the class of widths of the clicks, and across widths and inserted content."""
    with open_desk() as (desk, url):
        clicked = {width: click_everything(desk, url, width) for width in WIDTHS}
        same = [paint(url, clicked[1440], width, False) for width in (1440, SAME_CLASS)]
        across = [
            paint(url, clicked[source], target, inserted)
            for source, target, inserted in product(WIDTHS, WIDTHS, (False, True))
            if (source != target) != inserted
        ]
    return figures(Errors.together(same), Errors.together(across))


def figures(same: Errors, across: Errors) -> list[Figure]:
    told = {
        "same_class": same.element,
        "across": across.element,
        "page_px": across.pixel,
        "fraction": across.fraction,
    }
    return [
        Figure(
            f"heatmap.position_error_px_{name}",
            round(statistics.median(errors), 2),
            "px",
            COMMAND,
            f"median of {len(errors)}; p95 {statistics.quantiles(errors, n=20)[-1]:.1f}",
        )
        for name, errors in told.items()
    ]


def click_everything(desk: Desk, url: str, width: int) -> tuple[list[Click], dict[str, str]]:
    """One click into each element of the page at a random place of it; and the selectors."""
    drawn = random.Random(width)
    name = f"/page/w{width}"
    with window(url, width, HEIGHT) as page:
        page.goto(f"{name}?tracker=1")
        made = []
        for index in range(page.locator(TARGETS).count()):
            places = [drawn.uniform(0.1, 0.9), drawn.uniform(0.1, 0.9)]
            true = page.evaluate(AIM, [TARGETS, index, *places])
            page.mouse.click(true["x"], true["y"])
            page.evaluate("new Promise(requestAnimationFrame)")
            made.append(true)
        page.goto("about:blank")
        until(lambda: page.evaluate("true") and arrived(desk, name) >= len(made), DEADLINE_S)
    query = {"site": "demo", "page": name, "class": view_class(width), "audience": "all"}
    answer = httpx2.get(f"{url}/v1/heat", params=query | {"last": "1h"}).json()
    return matched(made, answer["spots"]), answer["elements"]


def arrived(desk: Desk, name: str) -> int:
    """Clicks on a page that reached the service."""
    rows = (memoryview(b.click).cast("i").tolist() for b in desk.batches if b.page == name)
    return sum(row[1::8].count(1) for row in rows)


def matched(made: list[dict[str, Any]], spots: list[list[int]]) -> list[Click]:
    """Each click with its spot: that with its place inside the element, in the click's cell."""
    found = []
    for true in made:
        inside = [int(true["across"] * 1024), int(true["down"] * 1024)]
        its = [
            s
            for s in spots
            if s[0] == 1 and all(abs(a - b) <= 2 for a, b in zip(s[2:4], inside, strict=True))
        ]
        assert its, f"The click on {true['element'][:40]!r} at {inside} is in no spot."
        found.append(Click(true, its[0]))
    return found


def paint(
    url: str, clicked: tuple[list[Click], dict[str, str]], width: int, inserted: bool
) -> Errors:
    """Paint each click alone on the page at this width, and see how far off it is."""
    clicks, elements = clicked
    errors = Errors([], [], [])
    with window(url, width, HEIGHT) as page:
        page.goto(f"/page/paint?inserted={int(inserted)}")
        page.evaluate(SET_UP)
        for click in clicks:
            at = page.evaluate(LOCATE, click.true)
            if at is not None:
                add_errors(errors, page, click, elements, at)
    return errors


def add_errors(
    errors: Errors, page: Page, click: Click, elements: dict[str, str], at: dict[str, float]
) -> None:
    page.evaluate("([spot, elements]) => paintOne(spot, elements)", [click.spot, elements])
    mass, x, y = painted(page)
    true = click.true
    off = abs(complex(x - at["x"], y - at["y"])) if mass else NOT_PAINTED_PX
    errors.element.append(off)
    there_x, there_y = at["x"] + at["left"], at["y"] + at["top"]
    errors.pixel.append(abs(complex(true["page_x"] - there_x, true["page_y"] - there_y)))
    errors.fraction.append(
        abs(
            complex(
                true["page_x"] / true["width"] * at["width"] - there_x,
                true["page_y"] / true["height"] * at["height"] - there_y,
            )
        )
    )
