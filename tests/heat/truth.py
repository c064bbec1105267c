"""A seeded crowd of page views that knows what the heat map must show of it.

The truth is counted event by event in plain dicts and lists, from the rules as the design states
them, with nothing of the code that folds events into grids.
"""

import base64
import json
import math
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

ROWS, COLUMNS, SPAN = 200, 64, 10_000
MOVE, CLICK, RAGE, DEAD, VISIT = 0, 1, 2, 3, 6
WHOLE_PAGE = (VISIT, 0)
MINUTE_MS = 60_000
SITE = "truth"
HUMAN_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 truth/{}"
BOT_AGENT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
AGENTS = (*(HUMAN_AGENT.format(n) for n in range(9)), BOT_AGENT)
WIDTHS = {"xs": 375, "m": 800, "l": 1280}
VERSIONS = ("", "b")

Point = tuple[int, int, int, int]
"""Layer, cell, element and place inside the element of something counted."""
Event = tuple[int | str | None, ...]


@dataclass
class Heat:
    """What one variant of a page must show, summed over all time.

    touched: layers and cells in which somebody was.
    """

    points: Counter[Point] = field(default_factory=Counter)
    touched: set[tuple[int, int]] = field(default_factory=set)
    view_ms: list[int] = field(default_factory=lambda: [0] * ROWS)
    reach: list[int] = field(default_factory=lambda: [0] * ROWS)
    visits: int = 0


@dataclass(frozen=True)
class Parcel:
    """A batch that waits to be sent: all but its age, which grows until it is.

    age_ms: how long before its first sending the first of its events happened.
    """

    head: str
    tail: str
    agent: str
    events: int
    age_ms: int

    def body(self, waited_ms: int) -> bytes:
        """What a tracker posts `waited_ms` after the first attempt."""
        return f'{self.head}"age":{self.age_ms + waited_ms},{self.tail}'.encode()


@dataclass
class Truth:
    """The heat of every variant and the late events of every page."""

    heat: defaultdict[str, Heat] = field(default_factory=lambda: defaultdict(Heat))
    late: Counter[str] = field(default_factory=Counter)
    events: int = 0


class Crowd:
    """Draws page views, one batch after the other, and counts the truth while it does."""

    def __init__(self, seed: int, pages: int, site: str = SITE) -> None:
        self._chance = random.Random(seed)
        self._site = site
        self.folder = f"/truth/{seed}/"
        self._pages = [f"{self.folder}{n}" for n in range(pages)]
        self.truth = Truth()

    def parcels(self, events: int) -> Iterator[Parcel]:
        """Batches of about 20 events until there are at least so many."""
        while self.truth.events < events:
            view = self._view()
            for number in range(self._chance.randint(1, 6)):
                yield self._batch(view, number)

    def _view(self) -> "_View":
        chance = self._chance
        agent = chance.choice(AGENTS)
        flags = chance.choices((0, 1, 2), (8, 1, 1))[0]
        is_bot = agent == BOT_AGENT or flags & 1
        audience = "bot" if is_bot else "staff" if flags & 2 else "human"
        view_class = chance.choice([*WIDTHS])
        page, version = chance.choice(self._pages), chance.choice(VERSIONS)
        view_id = base64.urlsafe_b64encode(chance.randbytes(8)).decode().rstrip("=")
        return _View(self._site, page, version, view_class, audience, flags, agent, view_id)

    def _batch(self, view: "_View", number: int) -> Parcel:
        """Most batches are sent at once, some up to 50 minutes later, a few hours later.

        A pause of 30 minutes inside of one that is sent after 70 divides it into late events and
        others, which the rule must tell apart one by one.
        """
        chance = self._chance
        kind = chance.choices(("fresh", "delayed", "late", "divided"), (90, 6, 2, 2))[0]
        pause_ms = 30 * MINUTE_MS if kind == "divided" else 0
        delay_ms = {
            "fresh": 0,
            "delayed": chance.randrange(50 * MINUTE_MS),
            "late": chance.randrange(120 * MINUTE_MS, 1200 * MINUTE_MS),
            "divided": 40 * MINUTE_MS,
        }[kind]
        drawn = _Drawn(chance, view, number, pause_ms)
        age_ms = pause_ms + drawn.span_ms + delay_ms
        self._count(view, drawn, age_ms)
        columns = {
            "els": drawn.elements, "view": drawn.view, "move": drawn.move, "click": drawn.click,
            "reach": drawn.reach,
        }  # fmt: skip
        body = view.head(number) | {name: rows for name, rows in columns.items() if rows}
        if kind == "fresh":
            body["at"] = (0, chance.randint(1, SPAN))
        head, tail = json.dumps(view.head(number)), json.dumps(body)[1:]
        return Parcel(head[:-1] + ",", tail, view.agent, len(drawn.times_ms), age_ms)

    def _count(self, view: "_View", drawn: "_Drawn", age_ms: int) -> None:
        page = f"{view.site}|{view.page}"
        heat = self.truth.heat[view.variant]
        for time_ms, event in zip(drawn.times_ms, drawn.events, strict=True):
            self.truth.events += 1
            if age_ms - time_ms > 60 * MINUTE_MS:
                self.truth.late[page] += 1
            else:
                count(heat, event)


@dataclass(frozen=True)
class _View:
    site: str
    page: str
    version: str
    view_class: str
    audience: str
    flags: int
    agent: str
    view_id: str

    @property
    def variant(self) -> str:
        return f"{self.site}|{self.view_class}|{self.audience}|{self.version}|{self.page}"

    def head(self, number: int) -> dict[str, object]:
        known: dict[str, object] = {
            "v": 1, "site": self.site, "page": self.page, "id": self.view_id, "n": number,
            "w": WIDTHS[self.view_class], "h": 900, "dh": 5200,
        }  # fmt: skip
        optional = {"flags": self.flags, "ver": self.version}
        return known | {name: value for name, value in optional.items() if value}


class _Drawn:
    """The events of one batch: as columns of the wire, and one by one with their times."""

    def __init__(self, chance: random.Random, view: _View, number: int, pause_ms: int) -> None:
        self._chance = chance
        self._pause_ms = pause_ms
        self.elements = [f"#{view.page}>p:nth-of-type({chance.randrange(30)})" for _ in range(2)]
        self.view: list[int] = []
        self.move: list[int] = []
        self.click: list[int] = []
        self.reach: list[int] = []
        self.times_ms: list[int] = []
        self.events: list[Event] = []
        self.span_ms = max(
            self._draw_view(chance.randint(6, 18)),
            self._draw_moves(chance.randint(0, 12)),
            self._draw_clicks(chance.randint(0, 3)),
            self._draw_reach(number),
        )

    def _note(self, time_ms: int, event: Event) -> None:
        self.times_ms.append(time_ms)
        self.events.append(event)

    def _pause_at(self, row: int, rows: int) -> int:
        """The pause, before the first row of the second half."""
        return self._pause_ms if row == rows // 2 else 0

    def _draw_view(self, rows: int) -> int:
        now_ms = 0
        for row in range(rows):
            gap_ms = self._chance.randrange(500) + self._pause_at(row, rows)
            longest_ms = 60_000 if self._chance.random() < 0.01 else 3_000
            duration_ms = self._chance.randint(0, longest_ms)
            top, bottom = sorted((self._chance.randint(0, SPAN), self._chance.randint(0, SPAN)))
            self.view += (gap_ms, duration_ms, top, bottom)
            self._note(now_ms + gap_ms, ("view", duration_ms, top, bottom))
            now_ms += gap_ms + duration_ms
        return now_ms - self._pause_ms

    def _draw_moves(self, rows: int) -> int:
        now_ms = 0
        for row in range(rows):
            gap_ms = self._chance.randrange(500) + self._pause_at(row, rows)
            x, y = self._chance.randrange(SPAN), self._chance.randrange(SPAN)
            self.move += (gap_ms, x, y)
            now_ms += gap_ms
            self._note(now_ms, ("move", x, y))
        return now_ms

    def _draw_clicks(self, rows: int) -> int:
        for row in range(rows):
            time_ms = self._chance.randrange(5_000) + (self._pause_ms if row % 2 else 0)
            x, y = self._chance.randrange(SPAN), self._chance.randrange(SPAN)
            element = self._chance.randrange(-1, len(self.elements))
            p, q = self._chance.randrange(1024), self._chance.randrange(1024)
            selector = self.elements[element] if element >= 0 else None
            for kind in (CLICK, *self._chance.choices(((), (RAGE,), (DEAD,)), (8, 1, 1))[0]):
                self.click += (time_ms, kind, x, y, element, p, q, 0)
                self._note(time_ms, ("click", kind, x, y, selector, p, q))
        return 5_000

    def _draw_reach(self, number: int) -> int:
        """The page view's visit in its first batch, some growth in every one."""
        seen = -1 if number == 0 else self._chance.randrange(SPAN // 2)
        for _ in range(self._chance.randint(1 if number == 0 else 0, 2)):
            time_ms, deeper = self._chance.randrange(5_000), self._chance.randint(seen + 1, SPAN)
            self.reach += (time_ms, seen, deeper)
            self._note(time_ms, ("reach", seen, deeper))
            if deeper == SPAN:
                break
            seen = deeper
        return 5_000


def count(heat: Heat, event: Event) -> None:
    """Add one event to what must be shown; who had nothing on screen was not there."""
    if event[:2] != ("view", 0):
        heat.touched.add(WHOLE_PAGE)
    match event:
        case ("view", int(duration_ms), int(top), int(bottom)):
            for row in rows_of(top, bottom):
                heat.view_ms[row] += duration_ms
        case ("move", int(x), int(y)):
            heat.points[MOVE, cell_of(x, y), 0, 0] += 1
            heat.touched.add((MOVE, cell_of(x, y)))
        case ("click", int(kind), int(x), int(y), selector, int(p), int(q)):
            inside = (0, 0) if selector is None else (element_of(str(selector)), p << 10 | q)
            heat.points[kind, cell_of(x, y), *inside] += 1
            heat.touched.add((kind, cell_of(x, y)))
        case ("reach", int(seen), int(deeper)):
            heat.visits += seen < 0
            for row in range(rows_reached(seen), rows_reached(deeper)):
                heat.reach[row] += 1


def cell_of(x: int, y: int) -> int:
    return y * ROWS // SPAN * COLUMNS + x * COLUMNS // SPAN


def rows_of(top: int, bottom: int) -> range:
    """The rows that a band touches, at least one."""
    first = min(math.floor(top * ROWS / SPAN), ROWS - 1)
    return range(first, max(math.ceil(bottom * ROWS / SPAN), first + 1))


def rows_reached(bottom: int) -> int:
    """How many rows a page view has reached that saw down to `bottom`; none before it opened."""
    return 0 if bottom < 0 else max(1, math.ceil(bottom * ROWS / SPAN))


def element_of(selector: str) -> int:
    return zlib.crc32(selector.encode()) & 0x3FFFFFF
