"""Every row is a clean line or has exactly one reason why not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommender.loading.columns import ONLINE_RETAIL_COLUMNS
from services.recommender.loading.orders import (
    ANY_SHOP,
    LARGEST_PRICE,
    ONLINE_RETAIL,
    Line,
    LineReader,
    Reason,
    Rules,
)

NOW = datetime(2011, 12, 9, 12, 50, tzinfo=UTC)
HEADER = [*ONLINE_RETAIL_COLUMNS.values(), "Category", "Stock"]
MAPPING = {"category": "Category", "stock": "Stock"}
GOOD = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": " WHITE  HANGING HEART ",
    "Quantity": 6,
    "InvoiceDate": datetime(2010, 12, 1, 8, 26),  # noqa: DTZ001 - what files hold
    "UnitPrice": 2.55,
    "CustomerID": 17850.0,
    "Country": "United Kingdom",
    "Category": "",
    "Stock": None,
}
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(),
    st.text(max_size=80),
    st.dates(),
    st.datetimes(),
    st.sampled_from([*GOOD.values(), "C536379", "6", "2.5", "2011-01-01", "-1", "POST"]),
)


MOSTLY_GOOD = {column: st.one_of(st.just(good), CELLS) for column, good in GOOD.items()}


def read(cells: dict[str, object], rules: Rules = ONLINE_RETAIL) -> Line | Reason:
    """A good row with some cells exchanged, as it is read."""
    return LineReader(HEADER, MAPPING, rules, NOW).read([*(GOOD | cells).values()])


def test_a_clean_row_becomes_a_line() -> None:
    assert read({}) == Line(
        order_id="536365",
        item_id="85123A",
        title="WHITE HANGING HEART",
        category="",
        stock=None,
        quantity=6,
        ordered_at=datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
        unit_price=2.55,
        customer_id="17850",
        country="United Kingdom",
    )


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("InvoiceNo", None, Reason.ORDER_ID),
        ("InvoiceNo", "5" * 65, Reason.ORDER_ID),
        ("InvoiceNo", "C536365", Reason.CANCELLED),
        ("StockCode", "", Reason.ITEM_ID),
        ("StockCode", "85\x00123", Reason.ITEM_ID),
        ("StockCode", "POST", Reason.NOT_A_PRODUCT),
        ("Quantity", "6.5", Reason.QUANTITY),
        ("Quantity", "many", Reason.QUANTITY),
        ("Quantity", float("inf"), Reason.QUANTITY),
        ("Quantity", 2**31, Reason.QUANTITY),
        ("Quantity", 0, Reason.NO_QUANTITY),
        ("Quantity", -6, Reason.NO_QUANTITY),
        ("UnitPrice", float("nan"), Reason.PRICE),
        ("UnitPrice", "2,55", Reason.PRICE),
        ("UnitPrice", LARGEST_PRICE + 0.01, Reason.PRICE),
        ("UnitPrice", 0, Reason.NO_PRICE),
        ("UnitPrice", -11062.06, Reason.NO_PRICE),
        ("InvoiceDate", "yesterday", Reason.TIME),
        ("InvoiceDate", None, Reason.TIME),
        ("InvoiceDate", "0001-01-01T00:00:00+14:00", Reason.TIME),
        ("InvoiceDate", NOW + timedelta(seconds=1), Reason.FUTURE),
        ("CustomerID", "1" * 65, Reason.CUSTOMER_ID),
        ("Country", "x" * 65, Reason.COUNTRY),
        ("Category", "x" * 65, Reason.CATEGORY),
        ("Description", "x" * 301, Reason.TITLE),
        ("Stock", -1, Reason.STOCK),
    ],
)
def test_a_bad_cell_is_the_reason(column: str, value: object, reason: Reason) -> None:
    assert read({column: value}) is reason


def test_the_first_reason_in_the_order_of_checking_counts() -> None:
    assert read({"InvoiceNo": "C1", "StockCode": "POST", "Quantity": -1}) is Reason.CANCELLED


def test_a_row_of_another_width_is_rejected() -> None:
    reader = LineReader(HEADER, MAPPING, ONLINE_RETAIL, NOW)

    assert reader.read([*GOOD.values(), "more"]) is Reason.WIDTH
    assert reader.read([]) is Reason.WIDTH
    assert reader.order_id([]) == ""


def test_a_stock_code_in_lower_case_is_the_same_article() -> None:
    assert read({"StockCode": "85123a"}) == read({})


def test_another_shop_may_have_other_ids() -> None:
    line = read({"InvoiceNo": "C-1", "StockCode": "SKU 7/blue"}, ANY_SHOP)

    assert isinstance(line, Line)
    assert (line.order_id, line.item_id) == ("C-1", "SKU 7/blue")


def test_a_guest_order_has_no_customer() -> None:
    line = read({"CustomerID": None, "Country": None})

    assert isinstance(line, Line)
    assert (line.customer_id, line.country) == (None, "Unspecified")


@given(st.lists(CELLS, max_size=len(HEADER) + 1), st.sampled_from([ONLINE_RETAIL, ANY_SHOP]))
def test_any_row_is_a_line_or_has_one_reason(row: list[object], rules: Rules) -> None:
    result = LineReader(HEADER, MAPPING, rules, NOW).read(row)

    assert isinstance(result, (Line, Reason))


@given(st.fixed_dictionaries(MOSTLY_GOOD))
def test_a_line_fits_the_tables(cells: dict[str, object]) -> None:
    line = read(cells, ANY_SHOP)
    if isinstance(line, Line):
        assert 0 < line.quantity < 2**31
        assert 0 < line.unit_price < 10**8
        assert line.ordered_at <= NOW
        assert all(0 < len(t) <= 64 for t in (line.order_id, line.item_id, line.country))
        assert all(t.isprintable() for t in (line.order_id, line.item_id, line.title))
