"""The seam between HTTP and the database: what the API asks of the shop, and how it is refused."""

from typing import Protocol

from services.recommender.answers import (
    Customer,
    Item,
    Model,
    NewOrder,
    Purchase,
    Receipt,
    Recommendation,
)


class UnknownError(LookupError):
    """There is no such item or customer."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"There is no {kind} '{key}'.")


class ConflictError(Exception):
    """The order cannot be recorded as things are; its text says why."""


class Shop(Protocol):
    """Every method raises `UnknownError` for an item or customer that does not exist."""

    async def recommend(
        self, item_id: str, customer_id: str | None, exclude: list[str], n: int
    ) -> tuple[int | None, list[Recommendation]]:
        """The version of the serving model, None before the first, and n items, best first."""
        ...

    async def order(self, new: NewOrder) -> tuple[Receipt, bool]:
        """The order as recorded, and whether this call recorded it; a repeat changes nothing.

        Raises `ConflictError` for a known order id with other content and for lack of stock.
        """
        ...

    async def item(self, item_id: str) -> Item: ...

    async def items(self, search: str, limit: int) -> list[Item]:
        """Items whose title or id has every word of `search`, the popular ones first."""
        ...

    async def customers(self, search: str, limit: int) -> list[Customer]:
        """Customers whose id starts with `search`; those of the latest orders when it is empty."""
        ...

    async def purchases(self, customer_id: str, limit: int) -> list[Purchase]:
        """What the customer has, newest first."""
        ...

    async def model(self) -> Model:
        """The model that serves; one without a version before the first."""
        ...
