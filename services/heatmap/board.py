"""The heat as the API asks for it, and what the front door looks up: out of Valkey."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from services.heatmap import store
from services.heatmap.answers import Kind, Page
from services.heatmap.asking import Asked, Presence
from services.heatmap.grid import Tally, Variant, merged
from services.heatmap.keys import Keys
from services.heatmap.maps import bands
from services.heatmap.store import Ask, Place, Tails, ask_async
from services.heatmap.visiting.outside import PER_MINUTE

T = TypeVar("T")
K = TypeVar("K")

TIMEOUT_S = 1.0
CONNECTIONS = 32
CHUNK_KEYS = 64
FRESH_S = 1.0
SALT_BYTES = 32


def connect(url: str) -> Redis:
    """A client of Valkey that gives up soon and holds at most CONNECTIONS connections."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
    )
    return Redis.from_pool(pool)


class Recent(Generic[K, T]):
    """Answers that all who ask within a moment share."""

    def __init__(self, fresh_s: float) -> None:
        self._fresh_s = fresh_s
        self._known: dict[K, tuple[float, T]] = {}

    async def get(self, key: K, look: Callable[[], Awaitable[T]]) -> T:
        """The answer for a key, looked up when the last one is too old."""
        now_s = time.monotonic()
        if key not in self._known or now_s - self._known[key][0] >= self._fresh_s:
            found = await look()
            recent = {k: v for k, v in self._known.items() if now_s - v[0] < self._fresh_s}
            self._known = recent | {key: (now_s, found)}
        return self._known[key][1]


class Board:
    """What Valkey has; an `asking.Heat` and a `front_door.Source`."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._presence = Recent[Asked, Presence](FRESH_S)
        self._pages = Recent[str, list[Page]](FRESH_S)

    async def check(self) -> str | None:
        """What is wrong with Valkey, as a sentence; None when nothing is."""
        try:
            await self._ask(Ask([("PING",)], lambda replies: replies[0]))
        except RedisError as error:
            return f"Valkey does not answer: {str(error).rstrip('.')}."
        return None

    async def pages(self, site: str) -> list[Page]:
        return await self._pages.get(site, lambda: self._look_at_pages(site))

    async def variants(self, site: str, page: str) -> list[Variant]:
        return await self._ask(store.variants(self._keys, site, page))

    async def tally(self, chosen: Sequence[Variant], buckets: Mapping[str, Sequence[int]]) -> Tally:
        # In portions, so that a year of a busy page is never in memory as it was written.
        portion = max(1, CHUNK_KEYS // max(1, len(chosen)))
        found = merged([])
        for level, numbers in buckets.items():
            for some in _batched(numbers, portion):
                more = await self._ask(store.tallies(self._keys, {level: some}, chosen))
                # Beside the event loop, which collects meanwhile.
                found = await asyncio.to_thread(merged, [found, more])
        return found

    async def tails(self, known: Mapping[Place, int]) -> Tails:
        return await self._ask(store.tails(self._keys, known))

    async def elements(self, site: str, page: str, ids: Sequence[int]) -> dict[int, str]:
        return await self._ask(store.elements(self._keys, site, page, ids))

    async def presence(self, asked: Asked) -> Presence:
        return await self._presence.get(asked, lambda: self._look_who_is_here(asked))

    async def late(self, site: str, page: str) -> int:
        return await self._ask(store.late(self._keys, site, page))

    async def watch(self, site: str, page: str) -> None:
        await self._ask(store.watch(self._keys, site, page, _now_ms()))

    async def rate(self) -> int:
        return await self._ask(store.rate(self._keys, PER_MINUTE))

    async def set_rate(self, per_minute: int) -> None:
        await self._ask(store.set_rate(self._keys, per_minute))

    async def applied(self, partitions: Sequence[int]) -> dict[int, int]:
        return await self._ask(store.positions(self._keys, partitions))

    async def watched(self, now_ms: int) -> Collection[str]:
        return await self._ask(store.watched(self._keys, now_ms))

    async def salt(self, day: str) -> bytes:
        return await self._ask(store.salt(self._keys, day, secrets.token_bytes(SALT_BYTES)))

    async def _look_who_is_here(self, asked: Asked) -> Presence:
        views = await self._ask(store.present(self._keys, asked.site, asked.page, _now_ms()))
        known = [one for one in views if asked.takes(one)]
        return Presence(len(known), bands([one.band for one in known if one.band]))

    async def _look_at_pages(self, site: str) -> list[Page]:
        hours = await self._ask(store.pages(self._keys, site))
        now_ms = _now_ms()
        here = await self._ask(
            together([store.present(self._keys, site, page, now_ms) for page in hours])
        )
        kinds = await self._ask(
            together([store.variants(self._keys, site, page) for page in hours])
        )
        return [
            Page(
                page=page, last_hour_ms=hour_ms, here=len(views), variants=[_kind(v) for v in known]
            )
            for (page, hour_ms), views, known in zip(hours.items(), here, kinds, strict=True)
        ]

    async def _ask(self, asked: Ask[T]) -> T:
        return await ask_async(self._client, asked)


def together(asks: Sequence[Ask[T]]) -> Ask[list[T]]:
    """Many questions as one: their commands go out together."""

    def parse(replies: list[Any]) -> list[T]:
        left = iter(replies)
        return [one.parse(list(islice(left, len(one.commands)))) for one in asks]

    return Ask([command for one in asks for command in one.commands], parse)


def _kind(variant: Variant) -> Kind:
    return Kind(view_class=variant.view_class, audience=variant.audience, version=variant.version)


def _batched(numbers: Iterable[int], size: int) -> Iterable[list[int]]:
    left = iter(numbers)
    while some := list(islice(left, size)):
        yield some


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
