"""What simulated visitors meet outside: the collector and the shop by HTTP, the dial in Valkey."""

import httpx2
import redis.asyncio as valkey
from redis.exceptions import RedisError

from services.heatmap.keys import Keys
from services.heatmap.visiting.people import Visitor
from services.heatmap.visiting.tracker import FLUSH_MS, Post, Reply

PER_MINUTE = 60
ITEMS = 24


def poster(client: httpx2.AsyncClient, url: str) -> Post:
    """Posts batches to `url` as a visitor's browser does, behind a proxy that tells its address."""

    async def post(visitor: Visitor, body: bytes) -> Reply:
        headers = {
            "Content-Type": "text/plain;charset=UTF-8",
            "User-Agent": visitor.agent,
            "X-Forwarded-For": visitor.address,
        }
        try:
            answer = await client.post(url, content=body, headers=headers)
        except httpx2.TransportError:
            return Reply(0)
        if answer.status_code != 200:
            return Reply(answer.status_code, retry_after_s=_seconds(answer))
        told = answer.json()
        return Reply(200, told.get("flush_ms", FLUSH_MS), told.get("watched", False))

    return post


async def wanted_rate(cache: valkey.Redis, now: int) -> int:
    """Visitors a minute by the dial; without Valkey the rate stays as it is now."""
    try:
        wanted = await cache.get(Keys().rate())
    except RedisError:
        return now
    if wanted is None:
        return PER_MINUTE
    return int(wanted) if wanted.isdigit() else now


async def popular_items(client: httpx2.AsyncClient, shop: str) -> list[str]:
    """The ids of the shop's most popular items; none while it does not answer."""
    try:
        answer = await client.get(f"{shop}/v1/items", params={"limit": ITEMS})
    except httpx2.TransportError:
        return []
    if answer.status_code != 200:
        return []
    return [item["item_id"] for item in answer.json()["items"]]


def _seconds(answer: httpx2.Response) -> float:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else 0.0
