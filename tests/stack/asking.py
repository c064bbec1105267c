"""Asking the API over a small shop, and its database behind its back."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import psycopg

from tests.stack.shop import ids
from tests.waiting import until

RECOVERY_S = 60
# The promise is about two seconds; a test may run on a machine that is slow, not on one that hangs.
LONGEST_ANSWER_S = 15


@contextmanager
def ready(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url, timeout=LONGEST_ANSWER_S) as client:
        until(lambda: client.get("/readyz").status_code == 200, RECOVERY_S)
        yield client


def five(client: httpx2.Client, item: str, **query: str) -> list[str]:
    answer = client.get(f"/v1/items/{item}/recommendations", params=query)
    assert answer.status_code == 200, answer.text
    return ids(answer.json()["items"])


def order(client: httpx2.Client, item: str, quantity: int = 1, **more: str) -> httpx2.Response:
    lines = [{"item_id": item, "quantity": quantity}]
    return client.post("/v1/orders", json={"lines": lines, **more})


def value(database_url: str, query: str) -> object:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
