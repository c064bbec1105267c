"""A shop without a database, at the seam that tests/stack tries with a real one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.recommender.answers import (
    Because,
    Customer,
    Item,
    Model,
    NewOrder,
    Purchase,
    Receipt,
    Recommendation,
)

WHEN = datetime(2011, 12, 9, 12, 50, tzinfo=UTC)
MUG = Item(
    item_id="mug", title="RED MUG", price=2.5, category="mug", family_id="m", stock=3, active=True
)


@dataclass
class FakeShop:
    """The shop's seam: one item, one customer, and what it was asked."""

    version: int | None = 7
    created: bool = True
    trouble: Exception | None = None
    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def recommend(
        self, item_id: str, customer_id: str | None, exclude: list[str], n: int
    ) -> tuple[int | None, list[Recommendation]]:
        self._ask("recommend", item_id, customer_id, exclude, n)
        because = Because(item_id="tin", title="BLUE TIN") if customer_id else None
        one = Recommendation(
            position=1,
            item_id="cup",
            title="PINK CUP",
            price=1.25,
            category="cup",
            score=0.5,
            stage="history" if because else "together",
            because=because,
        )
        return self.version, [one]

    async def order(self, new: NewOrder) -> tuple[Receipt, bool]:
        self._ask("order", new.order_id, new.customer_id, new.country, new.quantities())
        receipt = Receipt(order_id="o1", customer_id=None, ordered_at=WHEN, lines=[], total=0)
        return receipt, self.created

    async def item(self, item_id: str) -> Item:
        self._ask("item", item_id)
        return MUG

    async def items(self, search: str, limit: int) -> list[Item]:
        self._ask("items", search, limit)
        return [MUG]

    async def customers(self, search: str, limit: int) -> list[Customer]:
        self._ask("customers", search, limit)
        return [Customer(customer_id="c1", purchases=2, newest_at=WHEN)]

    async def purchases(self, customer_id: str, limit: int) -> list[Purchase]:
        self._ask("purchases", customer_id, limit)
        return []

    async def model(self) -> Model:
        self._ask("model")
        return Model(alias="champion")

    def _ask(self, *what: object) -> None:
        self.asked.append(what)
        if self.trouble:
            raise self.trouble
