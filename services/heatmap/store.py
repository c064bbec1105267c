"""What is read from Valkey, and the few things that are written beside the worker's calls.

Every function here makes an `Ask`: commands and what their replies mean. `ask` runs it with a
client that waits, `ask_async` with one of asyncio; both raise redis.RedisError. So the worker, the
API and the tests share one definition of each.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import msgspec
import redis
import redis.asyncio

from services.heatmap import presence
from services.heatmap.grid import ENTRY, Tally, Variant, merged, tally
from services.heatmap.keys import KEEP_MS, SALT_S, WATCHED_MS, Keys
from services.heatmap.presence import Present

__all__ = ["KEEP_MS"]

T = TypeVar("T")
_TAILS = (Path(__file__).parent / "tails.lua").read_text()
Command = tuple[str | bytes | int, ...]
Place = tuple[Variant, int]
"""A variant and the number of a 5 s bucket."""


@dataclass(frozen=True)
class Ask(Generic[T]):
    """Commands that go out together, and what their replies mean."""

    commands: Sequence[Command]
    parse: Callable[[list[Any]], T]


def ask(client: redis.Redis, asked: Ask[T]) -> T:
    """The answer to one question; RedisError when Valkey is away."""
    with client.pipeline(transaction=False) as pipe:
        for command in asked.commands:
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]
        return asked.parse(pipe.execute() if asked.commands else [])


async def ask_async(client: redis.asyncio.Redis, asked: Ask[T]) -> T:
    """The same without blocking the event loop."""
    async with client.pipeline(transaction=False) as pipe:
        for command in asked.commands:
            await cast("Awaitable[Any]", pipe.execute_command(*command))
        return asked.parse(await pipe.execute() if asked.commands else [])


@dataclass(frozen=True)
class Tails:
    """What 5 s tallies got beyond known lengths.

    run: the life of the Valkey process; lengths known from another life mean nothing now.
    entries: the news of each place that has any; None for one that is shorter than was known.
    """

    run: str
    entries: Mapping[Place, Tally | None]


def variants(keys: Keys, site: str, page: str) -> Ask[list[Variant]]:
    """The kinds of visits that a page had, in order."""

    def parse(replies: list[Any]) -> list[Variant]:
        kinds = sorted(member.decode().split("|") for member in replies[0])
        return [Variant(site, width, audience, version, page) for width, audience, version in kinds]

    return Ask([("SMEMBERS", keys.variants(site, page))], parse)


def tallies(
    keys: Keys, buckets: Mapping[str, Iterable[int]], chosen: Sequence[Variant]
) -> Ask[Tally]:
    """Everything in these buckets, by level, of these variants, in one merged tally."""
    names = [
        keys.grid(level, bucket, variant)
        for level, numbers in buckets.items()
        for bucket in numbers
        for variant in chosen
    ]

    def parse(replies: list[Any]) -> Tally:
        return merged(tally(packed) for packed in (replies[0] if replies else ()) if packed)

    return Ask([("MGET", *names)] if names else [], parse)


def tails(keys: Keys, known: Mapping[Place, int]) -> Ask[Tails]:
    """What each 5 s tally got beyond its known number of entries, 0 for all of it."""
    places = list(known)
    named: list[str | int] = []
    for (variant, bucket), length in known.items():
        named += (keys.grid("5s", bucket, variant), length * ENTRY.itemsize)

    def parse(replies: list[Any]) -> Tails:
        run, *found = replies[0]
        news = {
            places[at]: None if packed is None else tally(packed)
            for at, packed in zip(found[::2], found[1::2], strict=True)
        }
        return Tails(run.decode(), news)

    # One call for all: a client spends more on many commands than Valkey does on the answers.
    return Ask([("EVAL", _TAILS, 0, msgspec.msgpack.encode(named))], parse)


def present(keys: Keys, site: str, page: str, now_ms: int) -> Ask[list[Present]]:
    """The page views that are open now."""
    names = [keys.here(window, site, page) for window in presence.windows(now_ms)]

    def parse(replies: list[Any]) -> list[Present]:
        return presence.present([log for log in replies[0] if log], now_ms)

    return Ask([("MGET", *names)], parse)


def pages(keys: Keys, site: str, most: int = 1000) -> Ask[dict[str, int]]:
    """The beginning of the last hour with visits of each page, the last visited first."""

    def parse(replies: list[Any]) -> dict[str, int]:
        return {page.decode(): int(score) for page, score in replies[0]}

    return Ask([("ZREVRANGE", keys.pages(site), 0, most - 1, "WITHSCORES")], parse)


def elements(keys: Keys, site: str, page: str, ids: Sequence[int]) -> Ask[dict[int, str]]:
    """The selectors of elements, as far as they are known."""

    def parse(replies: list[Any]) -> dict[int, str]:
        found = zip(ids, replies[0] if replies else (), strict=bool(replies))
        return {number: selector.decode() for number, selector in found if selector}

    return Ask([("HMGET", keys.elements(site, page), *ids)] if ids else [], parse)


def late(keys: Keys, site: str, page: str) -> Ask[int]:
    """Events of a page that came too late for its grids."""
    return Ask([("GET", keys.late(site, page))], lambda replies: int(replies[0] or 0))


def positions(keys: Keys, partitions: Iterable[int]) -> Ask[dict[int, int]]:
    """The first offset of each partition that is not applied yet."""
    numbers = list(partitions)
    commands: list[Command] = [("HGET", keys.partition(number), "next") for number in numbers]

    def parse(replies: list[Any]) -> dict[int, int]:
        return {n: int(reply or 0) for n, reply in zip(numbers, replies, strict=True)}

    return Ask(commands, parse)


def watch(keys: Keys, site: str, page: str, now_ms: int) -> Ask[None]:
    """Have a page's trackers send faster for the next seconds; drops those that are over."""
    name = keys.watched()
    commands: list[Command] = [
        ("ZADD", name, now_ms + WATCHED_MS, f"{site}|{page}"),
        ("ZREMRANGEBYSCORE", name, "-inf", now_ms),
    ]
    return Ask(commands, lambda _: None)


def watched(keys: Keys, now_ms: int) -> Ask[frozenset[str]]:
    """The pages that somebody watches now, as `site|page`."""

    def parse(replies: list[Any]) -> frozenset[str]:
        return frozenset(member.decode() for member in replies[0])

    return Ask([("ZRANGEBYSCORE", keys.watched(), f"({now_ms}", "+inf")], parse)


def salt(keys: Keys, day: str, proposed: bytes) -> Ask[bytes]:
    """The secret of a day (yyyy-mm-dd): the first that was proposed, for two days."""
    name = keys.salt(day)
    propose: Command = ("SET", name, proposed, "NX", "EX", SALT_S)
    return Ask([propose, ("GET", name)], lambda replies: bytes(replies[1]))


def rate(keys: Keys, otherwise: int) -> Ask[int]:
    """Simulated visitors a minute; `otherwise` when nobody has set the dial."""
    return Ask([("GET", keys.rate())], lambda replies: int(replies[0] or otherwise))


def set_rate(keys: Keys, per_minute: int) -> Ask[None]:
    return Ask([("SET", keys.rate(), per_minute)], lambda _: None)
