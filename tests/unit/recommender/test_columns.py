"""Column mappings: what is understood, and the sentence for what is not."""

import pytest

from services.recommender.loading.columns import (
    ONLINE_RETAIL_COLUMNS,
    MappingError,
    columns_of,
    parse_mapping,
)

UCI = list(ONLINE_RETAIL_COLUMNS.values())
OWN = ["Order", "SKU", "Qty", "When", "Price"]
OWN_MAPPING = "order_id=Order,item_id=SKU,quantity=Qty, ordered_at = When,unit_price=Price"


def test_online_retail_needs_no_mapping() -> None:
    assert columns_of(UCI, {}) == {
        field: place for place, field in enumerate(ONLINE_RETAIL_COLUMNS)
    }


def test_optional_columns_may_be_missing() -> None:
    assert columns_of(OWN, parse_mapping(OWN_MAPPING)).keys() == {
        "order_id", "item_id", "quantity", "ordered_at", "unit_price",
    }  # fmt: skip


def test_an_optional_column_that_is_named_must_exist() -> None:
    with pytest.raises(MappingError, match="no column 'Amount' for stock; its columns are Inv"):
        columns_of(UCI, {"stock": "Amount"})


def test_a_missing_column_is_named_with_those_that_there_are() -> None:
    with pytest.raises(MappingError, match=r"no column 'InvoiceNo' for order_id; .* Order, SKU"):
        columns_of(OWN, {})


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(MappingError, match="several columns 'Quantity'"):
        columns_of([*UCI, "Quantity"], {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("price=Cost", "'price' in the mapping is not a field; the fields are order_id, item_id"),
        ("order_id", "one column for order_id"),
        ("order_id=", "one column for order_id"),
        ("title=a,title=b", "one column for title"),
    ],
)
def test_a_mapping_that_means_nothing_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(MappingError, match=sentence):
        parse_mapping(text)


def test_an_empty_mapping_is_none() -> None:
    assert parse_mapping("") == {}
