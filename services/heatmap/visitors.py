"""Simulated visitors of the demo's article and of the shop: they post to the collector over HTTP.

A process of its own. How many come is the dial `heat:visitors:rate` in Valkey, read once a second;
which items the shop has is asked now and then, and without a shop all visitors read the article.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx2
import redis.asyncio as valkey
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.common import log
from services.common.settings import Settings, load_settings
from services.common.tasks import vital
from services.common.web import create_app, serve
from services.heatmap.visiting.crowd import Arrivals, Crowd
from services.heatmap.visiting.life import Life, Metrics
from services.heatmap.visiting.outside import PER_MINUTE, popular_items, poster, wanted_rate
from services.heatmap.visiting.pages import choices

MOST_AT_ONCE = 500
DIAL_EVERY_S = 1.0
SHOP_EVERY_S = 60.0
TIMEOUT_S = 5.0
CONNECTIONS = 32


def build(settings: Settings, seed: int) -> FastAPI:
    """The process's health and metrics, with the visitors in its background."""
    client = httpx2.AsyncClient(
        timeout=TIMEOUT_S, limits=httpx2.Limits(max_connections=CONNECTIONS)
    )
    cache = valkey.Redis.from_url(
        settings.valkey_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
    registry = CollectorRegistry()
    collector = f"{_collector(settings)}/collect"
    life = Life(
        Crowd(seed, choices([])),
        Arrivals(seed),
        poster(client, collector),
        Metrics(registry),
        MOST_AT_ONCE,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client, cache:
            task = vital(live(life, cache, client, _shop(settings)))
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def collector_answers() -> str | None:
        try:
            answer = await client.get(f"{_collector(settings)}/livez")
        except httpx2.TransportError as error:
            return f"The collector at {collector} does not answer: {error}."
        return None if answer.status_code == 200 else f"The collector says {answer.status_code}."

    return create_app(
        title="Simulated visitors",
        description="Visitors of the demo and of the shop, so that there is something to see.",
        checks={"collector": collector_answers},
        unavailable={},
        lifespan=lifespan,
        registry=registry,
    )


async def live(life: Life, cache: valkey.Redis, client: httpx2.AsyncClient, shop: str) -> None:
    """Keep the rate and the pages up to date, and let visitors come and go."""

    async def look_at_dial() -> None:
        life.per_minute = await wanted_rate(cache, life.per_minute)

    async def look_at_shop() -> None:
        if items := await popular_items(client, shop):
            life.crowd.choices = choices(items)

    life.per_minute = PER_MINUTE
    async with asyncio.TaskGroup() as group:
        await asyncio.gather(look_at_dial(), look_at_shop())
        group.create_task(_every(DIAL_EVERY_S, look_at_dial))
        group.create_task(_every(SHOP_EVERY_S, look_at_shop))
        group.create_task(life.go_on())


async def _every(seconds: float, look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await look()


def _collector(settings: Settings) -> str:
    return settings.heatmap_url or f"http://{settings.reach_host}:{settings.heatmap_port}"


def _shop(settings: Settings) -> str:
    return settings.recommender_url or f"http://{settings.reach_host}:{settings.recommender_port}"


def main() -> None:
    settings = load_settings()
    log.configure(settings.log_level, "heatmap visitors")
    if not settings.valkey_url:
        raise SystemExit(
            "VALKEY_URL is not set. Start everything with 'make demo', or give the address of a "
            "Valkey as redis://host:port/database."
        )
    seed = secrets.randbits(64)
    log.get_logger().info("visitors come", seed=seed)
    app = build(settings, seed)
    serve(app, settings.host, settings.heatmap_visitors_port, settings.allowed_hosts)


if __name__ == "__main__":
    main()
