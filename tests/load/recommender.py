"""Locust users of the recommender: visitors of a shop on this machine, who sometimes buy.

`make load SERVICE=recommender` runs it. Items are visited as unevenly as they are bought.
"""

import random

from locust import HttpUser, between, events, task
from locust.exception import StopUser

from tests.load.here import require_loopback, stay_here

ITEMS = 100
CUSTOMERS = 100
GUESTS = 0.5
RECOMMENDATIONS = "/v1/items/[id]/recommendations"


def rank_weights(count: int) -> list[float]:
    """Zipf's law, the skew of shops: the k-th item is visited 1/k as often as the first."""
    return [1 / rank for rank in range(1, count + 1)]


events.init.add_listener(stay_here)  # type: ignore[no-untyped-call]


class Visitor(HttpUser):
    """Opens an item's page, reads a little, follows one of the five, and buys now and then."""

    wait_time = between(0.05, 0.3)

    def on_start(self) -> None:
        require_loopback(self.host or "")
        self.items = self._ids(f"/v1/items?limit={ITEMS}", "items", "item_id")
        self.customers = self._ids(f"/v1/customers?limit={CUSTOMERS}", "customers", "customer_id")
        if not self.items:
            raise StopUser("The shop has no items yet.")
        guest = random.random() < GUESTS or not self.customers
        self.customer = None if guest else random.choice(self.customers)
        self.item = self._popular()

    @task(20)
    def open_a_popular_item(self) -> None:
        self.item = self._popular()
        self._open(self.item)

    @task(10)
    def follow_one_of_the_five(self) -> None:
        if five := self._open(self.item):
            self.item = random.choice(five)

    @task(1)
    def buy(self) -> None:
        body = {"customer_id": self.customer, "lines": [{"item_id": self.item, "quantity": 1}]}
        with self.client.post("/v1/orders", json=body, catch_response=True) as answer:
            # Sold out is an answer, not a failure.
            if answer.status_code == 409:
                answer.success()

    def _open(self, item: str) -> list[str]:
        query = {"customer_id": self.customer} if self.customer else {}
        path = f"/v1/items/{item}/recommendations"
        answer = self.client.get(path, params=query, name=RECOMMENDATIONS)
        return [one["item_id"] for one in answer.json()["items"]] if answer.ok else []

    def _popular(self) -> str:
        return random.choices(self.items, rank_weights(len(self.items)))[0]

    def _ids(self, path: str, key: str, name: str) -> list[str]:
        answer = self.client.get(path)
        return [row[name] for row in answer.json()[key]] if answer.ok else []
