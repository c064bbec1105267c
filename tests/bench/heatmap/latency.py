"""How long an acknowledged batch takes from the post to the grids, at 5,000 events a second.

On a demo of its own: collector, Kafka, worker and Valkey as shipped. Batches of 20 events leave at
an even pace, whether or not earlier ones were answered. A batch's clock starts just before its post
is written and stops when Valkey shows its mark, which the worker's script sets in the same call as
it adds the batch to the grids; the marks under way are asked for in one command about once a
millisecond, so that each figure is high by one or two. The first seconds warm up and don't count.
"""

import asyncio
import base64
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, cast

import redis.asyncio

from services.common.figures import Figure
from services.heatmap.keys import Keys
from tests.demo import Demo
from tests.heat.posting import Connection
from tests.heat.run import heat_demo, port
from tests.heat.steady import EVENTS, steady_parcels
from tests.heat.truth import Parcel

COMMAND = "make bench SERVICE=heatmap PARTS=latency"
EVENTS_PER_S = 5_000
BATCHES_PER_S = EVENTS_PER_S // EVENTS
WARM_UP_S, MEASURED_S = 5, 20
CONNECTIONS = 25
PAGES = 100
LOOK_EVERY_S = 0.001
DEADLINE_S = 30
LEAST_PACE = 0.95
SEED = 23


def measure() -> list[Figure]:
    """The 99th percentile of the way of a batch into the store."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, heat_demo(Path(name)) as demo:
        run = asyncio.run(run_at_pace(demo, WARM_UP_S + MEASURED_S))
    counted = range(WARM_UP_S * BATCHES_PER_S, (WARM_UP_S + MEASURED_S) * BATCHES_PER_S)
    to_store = percentiles([run.to_store_ms[n] for n in counted])
    to_answer = percentiles([run.to_answer_ms[n] for n in counted])
    spread = (
        f"{len(counted):,} batches; to the store p50 {to_store[49]:.0f}, p95 {to_store[94]:.0f}, "
        f"p99 {to_store[98]:.0f} ms; to the answer p50 {to_answer[49]:.0f}, "
        f"p99 {to_answer[98]:.0f} ms"
    )
    return [
        Figure("heatmap.post_to_store_p50_ms", round(to_store[49]), "ms", COMMAND, spread),
        Figure("heatmap.post_to_store_p99_ms", round(to_store[98]), "ms", COMMAND, spread),
    ]


def percentiles(values: list[float]) -> list[float]:
    return statistics.quantiles(values, n=100)


class Run:
    """Batches on their way, and the milliseconds that each took, by its number."""

    def __init__(self, demo: Demo, batches: int) -> None:
        self.address = ("127.0.0.1", port(demo, "HEATMAP_PORT"))
        self.parcels = list(steady_parcels(batches, PAGES, random.Random(SEED)))
        self.to_answer_ms: dict[int, float] = {}
        self.to_store_ms: dict[int, float] = {}
        self.sent_s: list[float] = []
        self._under_way: dict[bytes, tuple[int, float]] = {}

    async def send(self, numbers: range, began_s: float) -> None:
        """Send some of the batches over one connection, each when it is due."""
        connection = Connection(*self.address)
        for number in numbers:
            parcel = self.parcels[number]
            await asyncio.sleep(began_s + number / BATCHES_PER_S - time.perf_counter())
            body, mark = parcel.body(0), mark_of(parcel)
            sent_s = time.perf_counter()
            self.sent_s.append(sent_s)
            self._under_way[mark] = (number, sent_s)
            status, answer = await connection.post(body, parcel.agent)
            assert status == 200, answer
            self.to_answer_ms[number] = (time.perf_counter() - sent_s) * 1000
        connection.close()

    async def watch(self, client: redis.asyncio.Redis) -> None:
        """Look for the marks of the batches under way until all have been seen."""
        while len(self.to_store_ms) < len(self.parcels):
            if marks := list(self._under_way):
                seen = await cast("Awaitable[list[Any]]", client.mget(marks))
                now_s = time.perf_counter()
                for mark in (m for m, found in zip(marks, seen, strict=True) if found is not None):
                    number, sent_s = self._under_way.pop(mark)
                    self.to_store_ms[number] = (now_s - sent_s) * 1000
            await asyncio.sleep(LOOK_EVERY_S)


async def run_at_pace(demo: Demo, seconds: int) -> Run:
    """Post BATCHES_PER_S for so long, and time every batch until it is in the store."""
    run = Run(demo, seconds * BATCHES_PER_S)
    count = len(run.parcels)
    url = demo.environment()["VALKEY_URL"]
    async with redis.asyncio.Redis.from_url(url) as client, asyncio.timeout(seconds + DEADLINE_S):
        began_s = time.perf_counter()
        async with asyncio.TaskGroup() as watching, asyncio.TaskGroup() as senders:
            watching.create_task(run.watch(client))
            for first in range(CONNECTIONS):
                senders.create_task(run.send(range(first, count, CONNECTIONS), began_s))
    pace = count / (max(run.sent_s) - began_s)
    assert pace > LEAST_PACE * BATCHES_PER_S, f"Only {pace:.0f} batches a second were sent."
    return run


def mark_of(parcel: Parcel) -> bytes:
    """The key that says that the only batch of a page view was applied."""
    text = json.loads(parcel.head.rstrip(",") + "}")["id"]
    view_id = int.from_bytes(base64.urlsafe_b64decode(text + "="), "little")
    return Keys().seen(view_id).encode()
