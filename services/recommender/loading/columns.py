"""Which column of an order file holds which field of an order line."""

from collections.abc import Mapping, Sequence

REQUIRED = ("order_id", "item_id", "quantity", "ordered_at", "unit_price")
OPTIONAL = ("title", "customer_id", "country", "category", "stock")
FIELDS = REQUIRED + OPTIONAL
ONLINE_RETAIL_COLUMNS = {
    "order_id": "InvoiceNo",
    "item_id": "StockCode",
    "title": "Description",
    "quantity": "Quantity",
    "ordered_at": "InvoiceDate",
    "unit_price": "UnitPrice",
    "customer_id": "CustomerID",
    "country": "Country",
}


class MappingError(Exception):
    """A column mapping that cannot be understood or does not fit the file."""


def parse_mapping(text: str) -> dict[str, str]:
    """The column of each field from `order_id=Invoice,item_id=SKU`; fails with a MappingError."""
    mapping: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        field, _, column = (word.strip() for word in part.partition("="))
        if field not in FIELDS:
            raise MappingError(
                f"{field!r} in the mapping is not a field; the fields are {', '.join(FIELDS)}."
            )
        if not column or field in mapping:
            raise MappingError(f"The mapping must name one column for {field}, as in {field}=Name.")
        mapping[field] = column
    return mapping


def columns_of(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """The place of each field in a row of a file with this header.

    Fields that the mapping leaves out have the names of Online Retail; of these, the optional ones
    may be missing.
    """
    found = {}
    for field in FIELDS:
        column = mapping.get(field, ONLINE_RETAIL_COLUMNS.get(field, ""))
        if header.count(column) == 1:
            found[field] = header.index(column)
        elif field in REQUIRED or field in mapping:
            count = "several columns" if column in header else "no column"
            raise MappingError(
                f"The file has {count} {column!r} for {field}; its columns are "
                f"{', '.join(header)}. Name the right one with --mapping {field}=COLUMN."
            )
    return found
