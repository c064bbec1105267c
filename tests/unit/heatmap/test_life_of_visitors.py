"""Visitors come and go at a rate, never more than a number at once."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import redis.asyncio as valkey
from prometheus_client import CollectorRegistry
from redis.exceptions import ConnectionError as AwayError

from services.heatmap.visiting.crowd import Arrivals, Crowd
from services.heatmap.visiting.life import Life, Metrics
from services.heatmap.visiting.outside import PER_MINUTE, wanted_rate
from services.heatmap.visiting.pages import choices
from services.heatmap.visiting.people import Visitor
from services.heatmap.visiting.tracker import Post, Reply

DEADLINE_S = 30


def life(post: Post, registry: CollectorRegistry, per_minute: int, most: int) -> Life:
    found = Life(Crowd(3, choices([])), Arrivals(3), post, Metrics(registry), most)
    found.per_minute = per_minute
    return found


def live_until(
    registry: CollectorRegistry, per_minute: int, most: int, enough: Callable[[set[str]], bool]
) -> set[str]:
    """Live until those who have posted are enough; who they were."""
    seen: set[str] = set()

    async def post(visitor: Visitor, _: bytes) -> Reply:
        seen.add(visitor.view_id)
        return Reply(200)

    async def main() -> None:
        task = asyncio.create_task(life(post, registry, per_minute, most).go_on())
        async with asyncio.timeout(DEADLINE_S):
            while not enough(seen):
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(main())
    return seen


def counted(registry: CollectorRegistry, name: str) -> float:
    return registry.get_sample_value(f"heatmap_visitors_{name}") or 0.0


def test_at_the_start_people_are_in_the_middle_of_their_visits() -> None:
    registry = CollectorRegistry()

    seen = live_until(registry, 60, 1_000, lambda seen: len(seen) >= 10)

    assert counted(registry, "came_total") >= len(seen)


def test_there_are_never_more_than_the_most_and_those_turned_away_are_counted() -> None:
    registry = CollectorRegistry()

    here: list[float] = []

    def enough(_: set[str]) -> bool:
        here.append(counted(registry, "here"))
        return counted(registry, "turned_away_total") > 100

    live_until(registry, 60_000, 5, enough)

    assert max(here) == 5
    assert counted(registry, "here") == 0


def test_an_error_nobody_foresaw_ends_it_all_and_is_not_swallowed() -> None:
    async def post(_: Visitor, __: bytes) -> Reply:
        raise RuntimeError("unforeseen")

    with pytest.raises(ExceptionGroup, match="unhandled errors") as told:
        asyncio.run(life(post, CollectorRegistry(), 60, 100).go_on())
    assert told.group_contains(RuntimeError, match="unforeseen")


class Dial:
    def __init__(self, wanted: bytes | Exception | None) -> None:
        self._wanted = wanted

    async def get(self, _: str) -> bytes | None:
        if isinstance(self._wanted, Exception):
            raise self._wanted
        return self._wanted


@pytest.mark.parametrize(
    ("wanted", "rate"),
    [(b"0", 0), (b"600", 600), (None, PER_MINUTE), (b"many", 42), (AwayError("away"), 42)],
)
def test_the_rate_is_that_of_the_dial_and_stays_without_one(wanted: Any, rate: int) -> None:
    assert asyncio.run(wanted_rate(cast("valkey.Redis", Dial(wanted)), 42)) == rate
