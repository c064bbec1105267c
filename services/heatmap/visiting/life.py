"""Lets visitors come and go: as many as the rate says, each followed by a tracker of its own."""

import asyncio
import time
from itertools import islice

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.heatmap.visiting.crowd import Arrivals, Crowd, already_here
from services.heatmap.visiting.tracker import Post, Tracker
from services.heatmap.visiting.visits import Visit

TICK_S = 0.25


class WallTime:
    """The clock that trackers live by, outside of tests."""

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Metrics:
    """What happens to visits and their batches."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.here = Gauge("heatmap_visitors_here", "Visits under way", registry=registry)
        self.came = Counter("heatmap_visitors_came", "Visits that began", registry=registry)
        self.turned_away = Counter(
            "heatmap_visitors_turned_away", "Visits beyond the most at once", registry=registry
        )
        self.batches = Counter(
            "heatmap_visitors_batches", "Attempts to post a batch", ["outcome"], registry=registry
        )

    def tell(self, outcome: str) -> None:
        self.batches.labels(outcome).inc()


class Life:
    """The visits under way, never more than `most`; `per_minute` may be set at any time."""

    def __init__(
        self, crowd: Crowd, arrivals: Arrivals, post: Post, metrics: Metrics, most: int
    ) -> None:
        self.crowd = crowd
        self.per_minute = 0
        self._arrivals = arrivals
        self._post = post
        self._metrics = metrics
        self._most = most
        self._here = 0

    async def go_on(self) -> None:
        """Begin amid visits, as if they had always come; return only by an error or cancelled."""
        async with asyncio.TaskGroup() as group:
            under_way = already_here(self.crowd, self._arrivals, self.per_minute)
            for visit, since_ms in islice(under_way, self._most):
                self._enter(group, visit, since_ms)
            then_s = time.monotonic()
            while True:
                await asyncio.sleep(TICK_S)
                now_s = time.monotonic()
                for _ in range(self._arrivals.during(now_s - then_s, self.per_minute)):
                    if self._here < self._most:
                        self._enter(group, self.crowd.next_visit(), 0)
                    else:
                        self._metrics.turned_away.inc()
                then_s = now_s

    def _enter(self, group: asyncio.TaskGroup, visit: Visit, since_ms: int) -> None:
        self._here += 1
        self._metrics.came.inc()
        group.create_task(self._follow(visit, since_ms))

    async def _follow(self, visit: Visit, since_ms: int) -> None:
        with self._metrics.here.track_inprogress():
            tracker = Tracker(visit, since_ms, self._post, WallTime(), self._metrics.tell)
            try:
                await tracker.follow()
            finally:
                self._here -= 1
