"""How a page view goes: what is on screen when, where the pointer is, what is clicked; no I/O.

A reader looks at a part of the page, scrolls on or back, and leaves at some point. What happened is
known before anything of it is sent, so that sums can be compared with what became of them.
"""

import math
import random
from dataclasses import dataclass, field
from typing import NamedTuple

from services.heatmap.checks import SPAN
from services.heatmap.events import BOT
from services.heatmap.visiting.pages import Page, Target
from services.heatmap.visiting.people import Visitor

LONGEST_MS = 180_000
CLICK, RAGE, DEAD = 1, 2, 3
BY_KEYBOARD = 4
NOT_YET = -1

_DWELL_MEDIAN_MS = 4_500
_DWELL_SPREAD = 0.7
_DWELL_MS = (500, 30_000)
_BOT_DWELL_MS = 300
_LEAVES, _LEAVES_AT_THE_END = 0.11, 0.6
_GOES_BACK = 0.14
_LOOKS_AWAY = 0.05
_AWAY_MS = (2_000, 20_000)
_CLICKS = 0.3
_SEES_IT_IS_DEAD, _RAGES = 0.6, 0.4
_RAGE_CLICKS = 3
_WITH_KEYS = 0.03
_BOX = 1023


class Segment(NamedTuple):
    """The band that was on screen, top and bottom in 1/10,000 of the document."""

    start_ms: int
    duration_ms: int
    top: int
    bottom: int


class Move(NamedTuple):
    at_ms: int
    x: int
    y: int


class Click(NamedTuple):
    """A click, or what was made of one; p and q place it in the box of its element."""

    at_ms: int
    kind: int
    x: int
    y: int
    selector: str
    p: int
    q: int
    flags: int


class Reach(NamedTuple):
    """The deepest bottom seen so far grew."""

    at_ms: int
    before: int
    after: int


@dataclass
class Visit:
    """A page view as it happens to go, in milliseconds since the page was opened."""

    visitor: Visitor
    page: Page
    height_px: int
    ends_ms: int = 0
    view: list[Segment] = field(default_factory=list)
    move: list[Move] = field(default_factory=list)
    click: list[Click] = field(default_factory=list)
    reach: list[Reach] = field(default_factory=list)

    def band(self, at_ms: int) -> tuple[int, int] | None:
        """What is on screen at a moment; None while the reader looks elsewhere."""
        for segment in reversed(self.view):
            if segment.start_ms <= at_ms:
                seen = at_ms < segment.start_ms + segment.duration_ms
                return (segment.top, segment.bottom) if seen else None
        return None


def visit(rng: random.Random, visitor: Visitor, page: Page) -> Visit:
    """A page view of this visitor; the same for the same state of `rng`."""
    reader = _Reader(rng, Visit(visitor, page, page.height_px(visitor.device)))
    reader.read()
    return reader.visit


class _Reader:
    def __init__(self, rng: random.Random, visit: Visit) -> None:
        self.visit = visit
        self._rng = rng
        self._device = visit.visitor.device
        self._bot = visit.visitor.audience == BOT
        self._now_ms = 0
        self._scroll_px = 0
        self._lowest_px = visit.height_px - self._device.height_px
        self._pointer = (rng.random(), rng.random())

    def read(self) -> None:
        while True:
            self._look(self._dwell_ms())
            if self._leaves():
                break
            if self._rng.random() < _LOOKS_AWAY:
                self._now_ms += self._rng.randint(*_AWAY_MS)
            self._scroll()
        self.visit.ends_ms = self._now_ms

    def _dwell_ms(self) -> int:
        if self._bot:
            return _BOT_DWELL_MS
        shortest_ms, longest_ms = _DWELL_MS
        drawn_ms = self._rng.lognormvariate(math.log(_DWELL_MEDIAN_MS), _DWELL_SPREAD)
        return max(shortest_ms, min(longest_ms, int(drawn_ms)))

    def _leaves(self) -> bool:
        at_the_end = self._scroll_px >= self._lowest_px
        if self._bot:
            return at_the_end
        chance = _LEAVES_AT_THE_END if at_the_end else _LEAVES
        return self._now_ms >= LONGEST_MS or self._rng.random() < chance

    def _look(self, duration_ms: int) -> None:
        began_ms = self._now_ms
        self._show(duration_ms)
        if self._bot:
            return
        if not self._device.touch:
            self._point(began_ms, self._now_ms)
        if self._rng.random() < _CLICKS and (seen := self._targets()):
            target = self._rng.choices(seen, [target.weight for target in seen])[0]
            self._click(target, self._rng.randrange(began_ms, self._now_ms))

    def _show(self, duration_ms: int) -> None:
        """Keep what is on screen for so long."""
        top, bottom = self._band()
        deepest = self.visit.reach[-1].after if self.visit.reach else NOT_YET
        if bottom > deepest:
            self.visit.reach.append(Reach(self._now_ms, deepest, bottom))
        self.visit.view.append(Segment(self._now_ms, duration_ms, top, bottom))
        self._now_ms += duration_ms

    def _band(self) -> tuple[int, int]:
        scale = SPAN / self.visit.height_px
        bottom_px = self._scroll_px + self._device.height_px
        return round(self._scroll_px * scale), min(SPAN, round(bottom_px * scale))

    def _scroll(self) -> None:
        """Roll on by most of a window, or back, in three moves."""
        back = self._rng.random() < _GOES_BACK and not self._bot
        share = -self._rng.uniform(0.3, 1.2) if back else self._rng.uniform(0.45, 0.9)
        for _ in range(3):
            wanted_px = self._scroll_px + round(share * self._device.height_px / 3)
            self._scroll_px = max(0, min(self._lowest_px, wanted_px))
            self._show(self._rng.randint(60, 220))

    def _point(self, began_ms: int, end_ms: int) -> None:
        at_ms = began_ms + self._rng.randint(50, 900)
        while at_ms < end_ms:
            across, down = (_stay(0.999, v + self._rng.gauss(0, 0.08)) for v in self._pointer)
            self._pointer = across, down
            y_px = self._scroll_px + down * self._device.height_px
            y = min(SPAN - 1, int(y_px * SPAN / self.visit.height_px))
            self.visit.move.append(Move(at_ms, int(across * SPAN), y))
            at_ms += self._rng.randint(200, 1_400)

    def _targets(self) -> list[Target]:
        """What can be clicked: elements whose whole box is on screen."""
        top_px, bottom_px = self._scroll_px, self._scroll_px + self._device.height_px
        boxes = [(target, target.box(self._device)) for target in self.visit.page.targets]
        return [
            target
            for target, box in boxes
            if top_px + box.height_px / 2 < box.y_px < bottom_px - box.height_px / 2
        ]

    def _click(self, target: Target, at_ms: int) -> None:
        """Click it; what does nothing is often found to be dead, and may be clicked in rage."""
        one = self._aim(target, at_ms)
        clicks = [one]
        if target.dead and self._rng.random() < _SEES_IT_IS_DEAD:
            clicks.append(one._replace(kind=DEAD))
            if self._rng.random() < _RAGES:
                clicks += self._rage(one)
        last_ms = self._now_ms - 1
        self.visit.click += [c._replace(at_ms=min(c.at_ms, last_ms)) for c in clicks]

    def _aim(self, target: Target, at_ms: int) -> Click:
        box = target.box(self._device)
        keys = self._rng.random() < _WITH_KEYS
        across, down = (0.5, 0.5) if keys else (self._near_middle(), self._near_middle())
        x = (box.x_px + (across - 0.5) * box.width_px) / self._device.width_px
        y = (box.y_px + (down - 0.5) * box.height_px) / self.visit.height_px
        return Click(
            at_ms,
            CLICK,
            int(_stay(SPAN - 1, x * SPAN)),
            int(_stay(SPAN - 1, y * SPAN)),
            target.selector,
            int(across * _BOX),
            int(down * _BOX),
            BY_KEYBOARD if keys else 0,
        )

    def _near_middle(self) -> float:
        return _stay(1, self._rng.gauss(0.5, 0.17))

    def _rage(self, one: Click) -> list[Click]:
        more = [one._replace(at_ms=one.at_ms + 180 * i) for i in range(1, _RAGE_CLICKS)]
        return [*more, more[-1]._replace(kind=RAGE)]


def _stay(limit: float, value: float) -> float:
    return max(0.0, min(limit, value))
