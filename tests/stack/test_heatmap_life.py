"""There is life on the demo's article as soon as the house runs."""

from typing import Any

import httpx2

from tests.stack.conftest import Addresses
from tests.waiting import until

DEADLINE_S = 120


def pages(addresses: Addresses) -> list[dict[str, Any]]:
    answer = httpx2.get(f"{addresses.front}/example/heatmap", timeout=10).json()
    found: list[dict[str, Any]] = answer.get("pages", [])
    return found


def test_simulated_visitors_are_on_the_article_and_the_front_page_says_how_many(
    addresses: Addresses,
) -> None:
    until(lambda: any(p["page"] == "/article" and p["here"] for p in pages(addresses)), DEADLINE_S)


def test_what_they_see_gets_into_the_map(addresses: Addresses) -> None:
    def seen_ms() -> int:
        query = {"site": "demo", "page": "/article", "last": "1h"}
        heat = httpx2.get(f"{addresses.heatmap}/v1/heat", params=query, timeout=10).json()
        return sum(heat.get("view_ms", []))

    until(seen_ms, DEADLINE_S)
    before_ms = seen_ms()
    until(lambda: seen_ms() > before_ms, DEADLINE_S)
