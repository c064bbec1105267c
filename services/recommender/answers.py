"""What the recommender's API takes and gives; no I/O."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, computed_field

from services.recommender.titles import readable

N_DEFAULT = 5
N_MAX = 20
EXCLUDE_MAX = 200
LINES_MAX = 100
QUANTITY_MAX = 1000

Stage = Literal["together", "history", "category", "popular"]
Source = Literal["model", "popularity"]

WITHOUT_MODEL = "No model has been trained yet: these items are popular, not personal."


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("should have only printable characters")
    return value


Id = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
Title = Annotated[str, AfterValidator(readable)]


class Because(BaseModel):
    """The purchase of this customer that spoke most for an item."""

    item_id: str = Field(examples=["22423"])
    title: Title = Field(examples=["Regency cakestand 3 tier"])

    @computed_field(examples=["Because you bought Regency cakestand 3 tier."])  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str:
        return f"Because you bought {self.title}."


class Recommendation(BaseModel):
    """One of the items; `because` is there only where a real purchase spoke for it."""

    position: int = Field(examples=[1])
    item_id: str = Field(examples=["22699"])
    title: Title = Field(examples=["Roses Regency teacup and saucer"])
    price: float = Field(examples=[2.95])
    category: str = Field(examples=["cup"])
    score: float = Field(examples=[0.412])
    stage: Stage = Field(
        examples=["together"],
        description="together: bought with the seed; history: with what the customer bought; "
        "category, popular: popular in the seed's category or in the shop",
    )
    because: Because | None = None


class Recommendations(BaseModel):
    """The answer: exactly n items, all from one version of the model."""

    item_id: str = Field(examples=["22423"])
    customer_id: str | None = Field(examples=["12748"])
    model_version: int | None = Field(examples=[1])
    source: Source = Field(examples=["model"])
    note: str | None = Field(default=None, examples=[None], description="why it is not personal")
    items: list[Recommendation]
    request_id: str = Field(examples=["5f2c1f3e9d0b4a6e8c7d1a2b3c4d5e6f"])


class Item(BaseModel):
    item_id: str = Field(examples=["22423"])
    title: Title = Field(examples=["Regency cakestand 3 tier"])
    price: float = Field(examples=[12.75])
    category: str = Field(examples=["other"])
    family_id: str = Field(examples=["22423"])
    stock: int = Field(examples=[482])
    active: bool = Field(examples=[True])


class Items(BaseModel):
    items: list[Item]


class Customer(BaseModel):
    customer_id: str = Field(examples=["12748"])
    purchases: int = Field(examples=[1766], description="different items bought")
    newest_at: datetime | None = Field(examples=["2011-12-09T12:20:00Z"])


class Customers(BaseModel):
    customers: list[Customer]


class Purchase(BaseModel):
    item_id: str = Field(examples=["22423"])
    title: Title = Field(examples=["Regency cakestand 3 tier"])
    price: float = Field(examples=[12.75])
    category: str = Field(examples=["other"])
    times: int = Field(examples=[3], description="orders that had it")
    last_at: datetime = Field(examples=["2011-12-09T12:20:00Z"])


class Purchases(BaseModel):
    customer_id: str = Field(examples=["12748"])
    purchases: list[Purchase]


class OrderLine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    item_id: Id = Field(examples=["22423"])
    quantity: int = Field(ge=1, le=QUANTITY_MAX, strict=True, examples=[2])


class NewOrder(BaseModel):
    """An order to record. Lines that name the same item are added up."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "order_id": "web-0001",
                    "customer_id": "12748",
                    "lines": [{"item_id": "22423", "quantity": 2}],
                }
            ]
        },
    )

    order_id: Id | None = Field(default=None, description="yours, so that a repeat is one order")
    customer_id: Id | None = Field(default=None, description="null: a guest; new ones are created")
    country: Id = Field(default="unspecified", description="of a customer who is new")
    lines: list[OrderLine] = Field(min_length=1, max_length=LINES_MAX)

    def quantities(self) -> dict[str, int]:
        """Item to quantity, lines of the same item added up, in the order of the item ids."""
        total: dict[str, int] = {}
        for line in self.lines:
            total[line.item_id] = total.get(line.item_id, 0) + line.quantity
        return dict(sorted(total.items()))


class ReceiptLine(BaseModel):
    item_id: str = Field(examples=["22423"])
    title: Title = Field(examples=["Regency cakestand 3 tier"])
    quantity: int = Field(examples=[2])
    unit_price: float = Field(examples=[12.75])


class Receipt(BaseModel):
    """An order as it was recorded; the same for every repeat of it."""

    order_id: str = Field(examples=["web-0001"])
    customer_id: str | None = Field(examples=["12748"])
    ordered_at: datetime = Field(examples=["2026-01-05T10:00:00Z"])
    lines: list[ReceiptLine]
    total: float = Field(examples=[25.5])


class Model(BaseModel):
    """What serves now; `model_version` is null until a first model is there."""

    model_config = ConfigDict(protected_namespaces=())

    alias: str = Field(examples=["champion"])
    model_version: int | None = Field(default=None, examples=[1])
    mlflow_run_id: str | None = Field(default=None, examples=["3f1c5c0e8f7b4d6f9a2e1b0c9d8e7f6a"])
    metrics: dict[str, float] = Field(default={}, examples=[{"hr_at_5": 0.38, "ndcg_at_5": 0.15}])
    created_at: datetime | None = Field(default=None, examples=["2026-01-05T10:00:00Z"])
    note: str | None = Field(default=None, examples=[None])
