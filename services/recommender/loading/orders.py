"""One row of an order file: a clean order line, or the one reason why it is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.recommender.catalogue import is_product_code
from services.recommender.loading.cells import id_text, number, one_line, utc
from services.recommender.loading.columns import columns_of

UNKNOWN_COUNTRY = "Unspecified"
LONGEST_ID = 64
LONGEST_TITLE = 300
LARGEST_INT = 2**31 - 1
LARGEST_PRICE = 99_999_999.99


class Reason(StrEnum):
    """Why a row is not a clean line; a row has the first that applies, in the order of checking."""

    WIDTH = "number of fields differs from the header"
    ORDER_ID = "order id is not 1 to 64 printable characters"
    CANCELLED = "cancelled order"
    ITEM_ID = "item id is not 1 to 64 printable characters"
    NOT_A_PRODUCT = "item id is not a product code"
    QUANTITY = "quantity is not a whole number of at most 2147483647"
    NO_QUANTITY = "quantity is not above 0"
    PRICE = "unit price is not a number of at most 99999999.99"
    NO_PRICE = "unit price is not above 0"
    TIME = "time is not a date and time"
    FUTURE = "time lies in the future"
    CUSTOMER_ID = "customer id has more than 64 or unprintable characters"
    COUNTRY = "country has more than 64 characters"
    CATEGORY = "category has more than 64 characters"
    TITLE = "title has more than 300 characters"
    STOCK = "stock is not a whole number from 0 to 2147483647"
    CONFLICT = "order id belongs to another order"


class Line(NamedTuple):
    """One clean order line; prices in the currency of the file, times in UTC."""

    order_id: str
    item_id: str
    title: str
    category: str
    stock: int | None
    quantity: int
    ordered_at: datetime
    unit_price: float
    customer_id: str | None
    country: str


@dataclass(frozen=True)
class Rules:
    """What a clean line of one kind of source is."""

    name: str
    products_only: Callable[[str], bool] = bool
    cancelled_prefix: str | None = None
    upper_case_items: bool = False


ANY_SHOP = Rules("any shop")
# An invoice starting with C takes an earlier one back; 85123A and 85123a are one article.
ONLINE_RETAIL = Rules(
    "online retail", products_only=is_product_code, cancelled_prefix="C", upper_case_items=True
)


class _Rejected(Exception):  # noqa: N818 - control flow inside this module, not an error
    def __init__(self, reason: Reason) -> None:
        self.reason = reason


class LineReader:
    """Turns rows of one file into lines."""

    def __init__(
        self,
        header: Sequence[str],
        mapping: Mapping[str, str],
        rules: Rules,
        now: datetime,
        time_format: str | None = None,
    ) -> None:
        self._width = len(header)
        self._place = columns_of(header, mapping)
        self._rules = rules
        self._now = now
        self._time_format = time_format

    def order_id(self, row: Sequence[object]) -> str:
        """The order of a row, clean or not; '' when there is none."""
        place = self._place["order_id"]
        return id_text(row[place]) if place < len(row) else ""

    def read(self, row: Sequence[object]) -> Line | Reason:
        """The clean line in a row, or the reason why there is none."""
        try:
            return self._line(row)
        except _Rejected as rejected:
            return rejected.reason

    def _line(self, row: Sequence[object]) -> Line:
        if len(row) != self._width:
            raise _Rejected(Reason.WIDTH)
        place = self._place
        return Line(
            order_id=self._order_id(row[place["order_id"]]),
            item_id=self._item_id(row[place["item_id"]]),
            quantity=_quantity(row[place["quantity"]]),
            unit_price=_unit_price(row[place["unit_price"]]),
            ordered_at=self._time(row[place["ordered_at"]]),
            customer_id=_customer_id(self._optional(row, "customer_id")),
            country=_words(self._optional(row, "country"), Reason.COUNTRY) or UNKNOWN_COUNTRY,
            category=_words(self._optional(row, "category"), Reason.CATEGORY),
            title=_words(self._optional(row, "title"), Reason.TITLE, LONGEST_TITLE),
            stock=_stock(self._optional(row, "stock")),
        )

    def _optional(self, row: Sequence[object], field: str) -> object:
        place = self._place.get(field)
        return None if place is None else row[place]

    def _order_id(self, value: object) -> str:
        order_id = _identifier(value, Reason.ORDER_ID)
        prefix = self._rules.cancelled_prefix
        if prefix is not None and order_id.startswith(prefix):
            raise _Rejected(Reason.CANCELLED)
        return order_id

    def _item_id(self, value: object) -> str:
        item_id = _identifier(value, Reason.ITEM_ID)
        if not self._rules.products_only(item_id):
            raise _Rejected(Reason.NOT_A_PRODUCT)
        return item_id.upper() if self._rules.upper_case_items else item_id

    def _time(self, value: object) -> datetime:
        try:
            time = utc(value, self._time_format)
        except (ValueError, OverflowError):
            raise _Rejected(Reason.TIME) from None
        if time > self._now:
            raise _Rejected(Reason.FUTURE)
        return time


def _identifier(value: object, reason: Reason) -> str:
    text = id_text(value)
    if not text or len(text) > LONGEST_ID or not text.isprintable():
        raise _Rejected(reason)
    return text


def _customer_id(value: object) -> str | None:
    return _identifier(value, Reason.CUSTOMER_ID) if id_text(value) else None


def _words(value: object, reason: Reason, longest: int = LONGEST_ID) -> str:
    text = one_line(value)
    if len(text) > longest:
        raise _Rejected(reason)
    return text


def _quantity(value: object) -> int:
    quantity = number(value)
    if not quantity.is_integer() or quantity > LARGEST_INT:
        raise _Rejected(Reason.QUANTITY)
    if quantity <= 0:
        raise _Rejected(Reason.NO_QUANTITY)
    return int(quantity)


def _unit_price(value: object) -> float:
    price = number(value)
    if not price <= LARGEST_PRICE:
        raise _Rejected(Reason.PRICE)
    if price <= 0:
        raise _Rejected(Reason.NO_PRICE)
    return price


def _stock(value: object) -> int | None:
    if not id_text(value):
        return None
    stock = number(value)
    if not stock.is_integer() or not 0 <= stock <= LARGEST_INT:
        raise _Rejected(Reason.STOCK)
    return int(stock)
