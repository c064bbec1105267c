"""What the tracker costs: bytes to load and to send, and the browser's time for each event."""

import gzip
import json
import random
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from services.common.figures import Figure
from services.heatmap.scripts import minified
from tests.stack.readers import CAN_HIDE, chromium, come, reader, settle, turn_away, turn_back
from tests.stack.recorder import TRACKER, Posted, Recorder, recording

COMMAND = "make bench SERVICE=heatmap PARTS=tracker"
ARTICLE = Path("services/heatmap/web/article.html")
STYLE = Path("services/heatmap/web/article.css")
BATCH = 20
Read = Callable[[Page, random.Random], None]
BATCHES, ROUNDS, FRAMES, HANDLED = 8, 3, 150, 1000
EVENTS_A_FRAME = 8

# Minutes of reading in seconds: the page's clock runs ten times as fast.
FAST_CLOCK = """
  const real = performance.now.bind(performance);
  performance.now = () => real() * 10;
"""
# In each frame the layout is made invalid before every event, as busy pages do.
BUSY = """async (frames) => {
  const paragraphs = document.querySelectorAll("main p");
  const at = (i) => ({ clientX: 100 + i * 97 % 800, clientY: 60 + i * 89 % 700 });
  let events = 0;
  const send = (type, kind, i) => {
    const paragraph = paragraphs[i % paragraphs.length];
    paragraph.style.paddingLeft = `${i % 7}px`;
    paragraph.dispatchEvent(new PointerEvent(type, { ...at(i), detail: kind, bubbles: true }));
    events += 1;
  };
  for (let i = 0; i < frames; i += 1) {
    for (let move = 0; move < 5; move += 1) send("mousemove", 0, i * 5 + move);
    send("pointerdown", 0, i);
    send("click", 1, i);
    scrollTo(0, i * 131 % 4000);
    events += 1;
    await new Promise(requestAnimationFrame);
  }
  return events;
}"""
HANDLE = """(count) => {
  const paragraphs = document.querySelectorAll("main p");
  for (let i = 0; i < count; i += 1) {
    const paragraph = paragraphs[i % paragraphs.length];
    paragraph.style.paddingLeft = `${i % 7}px`;
    const type = ["mousemove", "pointerdown", "click", "scroll", "focus", "input"][i % 6];
    paragraph.dispatchEvent(new PointerEvent(type, { bubbles: true, composed: true, detail: 1 }));
  }
}"""
READS = "addEventListener('click', () => document.body.offsetHeight, true);"


def measure() -> list[Figure]:
    """Size, bytes per event, main-thread time per event, layouts that handlers forced."""
    size = len(gzip.compress(minified(TRACKER.read_text()), 9))
    with chromium() as browser:
        exposure, mixed = wire(browser)
        tracked_ms = sorted(cost_ms(browser, tracked=True) for _ in range(ROUNDS))
        plain_ms = statistics.median(cost_ms(browser, tracked=False) for _ in range(ROUNDS))
        forced = forced_layouts(browser, tracked=True)
        noticed = forced_layouts(browser, tracked=False, before=READS)
    assert noticed > 0, "Layouts that a handler forced were not noticed, so none can be denied."
    own_ms = [round(ms - plain_ms, 3) for ms in tracked_ms]
    events = EVENTS_A_FRAME * FRAMES
    return [
        Figure("heatmap.tracker_gz_bytes", size, "B", COMMAND),
        Figure(
            "heatmap.wire_bytes_per_event", round(statistics.mean(exposure), 1), "B", COMMAND,
            f"{min(exposure):.1f}..{max(exposure):.1f}, {len(exposure)} batches of {BATCH} bands",
        ),
        Figure(
            "heatmap.wire_bytes_per_event_mixed", round(statistics.mean(mixed), 1), "B", COMMAND,
            f"{min(mixed):.1f}..{max(mixed):.1f}, {len(mixed)} batches of all kinds",
        ),
        Figure(
            "heatmap.tracker_ms_per_event", max(0.0, own_ms[len(own_ms) // 2]), "ms", COMMAND,
            f"{own_ms[0]:.3f}..{own_ms[-1]:.3f}; {events:,} events, {plain_ms:.3f} without it",
        ),
        Figure(
            "heatmap.tracker_forced_layouts", forced, "count", COMMAND,
            f"in {HANDLED:,} events; a handler that reads a size: {noticed}",
        ),
    ]  # fmt: skip


@contextmanager
def article(*, tracked: bool) -> Iterator[Recorder]:
    """The demo's article with its style, and with or without the tracker."""
    text = ARTICLE.read_text().replace("{{version}}", "").replace("{{static}}", "")
    for hole in ("{{news}}", "{{overlay}}", "{{letter}}"):
        text = text.replace(hole, "")
    text = text.replace("</head>", f"<style>{STYLE.read_text()}</style></head>")
    if not tracked:
        text = text.replace('src="/tracker.js"', 'type="text/plain"')
    with recording({"/article": text}) as recorder:
        yield recorder


def wire(browser: Browser) -> tuple[list[float], list[float]]:
    """Bytes per event of batches of exactly 20 bands, and of those with events of all kinds."""
    chance = random.Random(11)
    bands = [post for post in batches(browser, chance, read_bands) if is_of_bands(post)]
    mixed = [post for post in batches(browser, chance, read_and_click) if "click" in post.body]
    return [bytes_per_event(post) for post in bands], [bytes_per_event(post) for post in mixed]


def batches(browser: Browser, chance: random.Random, read: Read) -> list[Posted]:
    """What is sent when the page is hidden after each reading; the first one sets the pace."""
    with article(tracked=True) as recorder:
        recorder.reply["flush_ms"] = 600_000
        with reader(browser, recorder, "/article", FAST_CLOCK + CAN_HIDE) as page:
            for sent in range(1 + BATCHES):
                read(page, chance)
                turn_away(page)
                come(page, recorder, sent + 1)
                turn_back(page)
                settle(page)
        return recorder.taken()[1:]


def read_bands(page: Page, chance: random.Random) -> None:
    """Twenty bands, some of them passed by, some read."""
    for y in chance.sample(range(60, 4400, 60), BATCH - 1):
        page.wait_for_timeout(chance.choice((10, 20, 60, 120)))
        page.evaluate(f"scrollTo(0, {y})")
        settle(page)


def read_and_click(page: Page, chance: random.Random) -> None:
    """Twelve bands, followed with the pointer, and two clicks."""
    for step in range(12):
        page.evaluate(f"scrollBy(0, {chance.choice((90, 160, 300, -120))})")
        page.mouse.move(chance.randrange(350, 1000), chance.randrange(100, 750))
        page.wait_for_timeout(chance.choice((10, 20, 60, 120)))
        settle(page)
        if step % 6 == 5:
            page.mouse.click(chance.randrange(400, 900), chance.randrange(100, 750), delay=30)


def events_of(post: Posted) -> int:
    widths = {"view": 4, "move": 3, "click": 8, "reach": 3}
    return sum(len(post.body.get(kind, [])) // width for kind, width in widths.items())


def is_of_bands(post: Posted) -> bool:
    return len(post.segments()) == BATCH == events_of(post)


def bytes_per_event(post: Posted) -> float:
    return int(post.headers["Content-Length"]) / events_of(post)


def cost_ms(browser: Browser, *, tracked: bool) -> float:
    """Main-thread time of a busy page for each of its events, whatever the browser did with it."""
    with article(tracked=tracked) as recorder, reader(browser, recorder, "/article") as page:
        metrics = page.context.new_cdp_session(page)
        metrics.send("Performance.enable")
        page.evaluate(BUSY, 20)
        before_s = task_s(metrics.send("Performance.getMetrics"))
        events = page.evaluate(BUSY, FRAMES)
        return (task_s(metrics.send("Performance.getMetrics")) - before_s) * 1000 / float(events)


def task_s(answer: dict[str, Any]) -> float:
    return next(float(m["value"]) for m in answer["metrics"] if m["name"] == "TaskDuration")


def forced_layouts(browser: Browser, *, tracked: bool, before: str = "") -> int:
    """Layouts and style recalculations of a page whose layout is invalid at each of its events.

    Only those inside of an event's dispatch count: handlers made them, not the frame after.
    """
    with (
        article(tracked=tracked) as recorder,
        reader(browser, recorder, "/article", before) as page,
    ):
        settle(page)
        browser.start_tracing(page=page, categories=["devtools.timeline"])
        page.evaluate(HANDLE, HANDLED)
        settle(page)
        trace = json.loads(browser.stop_tracing())["traceEvents"]
    dispatches = [row for row in trace if row["name"] == "EventDispatch" and "dur" in row]
    assert len(dispatches) >= HANDLED // 2, "The trace has hardly any of the events."
    layouts = [row for row in trace if row["name"] in {"Layout", "UpdateLayoutTree"}]
    return sum(any(is_inside(layout, event) for event in dispatches) for layout in layouts)


def is_inside(row: dict[str, Any], event: dict[str, Any]) -> bool:
    same = (row["pid"], row["tid"]) == (event["pid"], event["tid"])
    return same and event["ts"] <= row["ts"] <= event["ts"] + event["dur"]
