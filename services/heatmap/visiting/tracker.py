"""Sends a visit while it lasts, as the tracker in a browser does: in time, again, or not at all."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from services.heatmap.visiting.batches import WINDOW_MAX_MS, Batch, batch
from services.heatmap.visiting.people import Visitor
from services.heatmap.visiting.visits import Visit

FLUSH_MS = 5_000
CLICK_FLUSH_MS = 100
RETRY_S = (0.5, 30.0)
PATIENCE_MS = 60_000
TOO_MANY = 429


class Reply(NamedTuple):
    """What came back for a batch; status 0 when nothing did."""

    status: int
    flush_ms: int = FLUSH_MS
    watched: bool = False
    retry_after_s: float = 0.0


class Time(Protocol):
    """The clock of a visit, which tests turn themselves."""

    def now_ms(self) -> int:
        """Milliseconds since any one moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so long."""
        ...


Post = Callable[[Visitor, bytes], Awaitable[Reply]]
Tell = Callable[[str], None]
"""Told of each batch what became of it: `kept`, `again`, `refused` or `lost`."""


class Tracker:
    """Follows one visit, which began `since_ms` ago, and posts what happens in it."""

    def __init__(self, visit: Visit, since_ms: int, post: Post, time: Time, tell: Tell) -> None:
        self._visit = visit
        self._opened_ms = time.now_ms() - since_ms
        self._post = post
        self._time = time
        self._tell = tell
        self._flush_ms = FLUSH_MS
        self._watched = False

    async def follow(self) -> None:
        """Return when the visit is over and its last batch was taken, refused or given up."""
        begin_ms = number = 0
        while begin_ms < self._visit.ends_ms:
            await self._time.sleep(max(0, self._due_ms(begin_ms) - self._now_ms()) / 1000)
            end_ms = min(self._now_ms(), self._visit.ends_ms, begin_ms + WINDOW_MAX_MS)
            bye = end_ms == self._visit.ends_ms
            one = batch(self._visit, number, begin_ms, end_ms, bye=bye)
            if one.events or bye:
                await self._deliver(one)
                number += 1
            begin_ms = end_ms

    def _now_ms(self) -> int:
        return self._time.now_ms() - self._opened_ms

    def _due_ms(self, begin_ms: int) -> int:
        """When the next batch leaves: sooner after a click while somebody watches the page."""
        due_ms = min(begin_ms + self._flush_ms, self._visit.ends_ms)
        if not self._watched:
            return due_ms
        clicks_ms = (c.at_ms + CLICK_FLUSH_MS for c in self._visit.click if c.at_ms >= begin_ms)
        return min(due_ms, next(clicks_ms, due_ms))

    async def _deliver(self, one: Batch) -> None:
        wait_s, longest_s = RETRY_S
        while True:
            reply = await self._post(self._visit.visitor, one.body(self._now_ms()))
            if reply.status == 200:
                self._flush_ms, self._watched = reply.flush_ms, reply.watched
                self._tell("kept")
                return
            if 400 <= reply.status < 500 and reply.status != TOO_MANY:
                self._tell("refused")
                return
            if self._now_ms() > self._visit.ends_ms + PATIENCE_MS:
                self._tell("lost")
                return
            self._tell("again")
            await self._time.sleep(max(wait_s, reply.retry_after_s))
            wait_s = min(wait_s * 2, longest_s)
