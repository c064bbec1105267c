"""The shop in PostgreSQL: the statements of queries.sql, through the pool that it is given."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from services.common.database import Database
from services.common.postgres import queries
from services.recommender.answers import (
    WITHOUT_MODEL,
    Because,
    Customer,
    Item,
    Model,
    NewOrder,
    Purchase,
    Receipt,
    ReceiptLine,
    Recommendation,
)
from services.recommender.shop import ConflictError, UnknownError

SQL = queries(Path(__file__).with_name("queries.sql"))

Row = dict[str, Any]


class Store:
    """The shop; every method is one statement, except `order`, which is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def recommend(
        self, item_id: str, customer_id: str | None, exclude: list[str], n: int
    ) -> tuple[int | None, list[Recommendation]]:
        asked = {"item_id": item_id, "customer_id": customer_id, "exclude": exclude, "n": n}
        rows = await self._rows("recommendations", asked)
        if not rows[0]["item_known"]:
            raise UnknownError("item", item_id)
        if customer_id is not None and not rows[0]["customer_known"]:
            raise UnknownError("customer", customer_id)
        answer = [_recommendation(row) for row in rows if row["item_id"] is not None]
        return rows[0]["model_version"], answer

    async def order(self, new: NewOrder) -> tuple[Receipt, bool]:
        order_id = new.order_id or uuid.uuid4().hex

        async def record(connection: AsyncConnection[TupleRow]) -> tuple[Receipt, bool]:
            async with connection.transaction():
                created = await _record(connection, order_id, new)
                receipt = _receipt(await _fetch(connection, "order", {"order_id": order_id}))
                if not created and not _same(receipt, new):
                    raise ConflictError(
                        f"The order '{order_id}' exists already, with another customer or other "
                        "lines."
                    )
                return receipt, created

        return await self.database.run(record)

    async def item(self, item_id: str) -> Item:
        rows = await self._rows("item", {"item_id": item_id})
        if not rows:
            raise UnknownError("item", item_id)
        return Item(**rows[0])

    async def items(self, search: str, limit: int) -> list[Item]:
        name = "items" if search else "popular_items"
        rows = await self._rows(name, {"search": search, "limit": limit})
        return [Item(**row) for row in rows]

    async def customers(self, search: str, limit: int) -> list[Customer]:
        name = "customers" if search else "latest_customers"
        rows = await self._rows(name, {"search": search, "limit": limit})
        return [Customer(**row) for row in rows]

    async def purchases(self, customer_id: str, limit: int) -> list[Purchase]:
        rows = await self._rows("purchases", {"customer_id": customer_id, "limit": limit})
        known = rows or await self._rows("customer_known", {"customer_id": customer_id})
        if not rows and not known[0]["exists"]:
            raise UnknownError("customer", customer_id)
        return [Purchase(**row) for row in rows]

    async def model(self) -> Model:
        rows = await self._rows("model", {})
        return Model(**rows[0]) if rows else Model(alias="champion", note=WITHOUT_MODEL)

    async def _rows(self, name: str, values: Mapping[str, Any]) -> list[Row]:
        async def fetch(connection: AsyncConnection[TupleRow]) -> list[Row]:
            return await _fetch(connection, name, values)

        return await self.database.run(fetch)


async def _record(connection: AsyncConnection[TupleRow], order_id: str, new: NewOrder) -> bool:
    wanted = new.quantities()
    values = {
        "order_id": order_id,
        "customer_id": new.customer_id,
        "country": new.country,
        "item_ids": list(wanted),
        "quantities": list(wanted.values()),
    }
    if new.customer_id is not None:
        await connection.execute(SQL["new_customer"], values, prepare=True)
    if not await _fetch(connection, "new_order", values):
        return False
    _refuse_unsellable(wanted, await _fetch(connection, "lock_items", values))
    await connection.execute(SQL["record_lines"], values, prepare=True)
    return True


def _refuse_unsellable(wanted: Mapping[str, int], found: list[Row]) -> None:
    items = {row["item_id"]: row for row in found}
    for item_id, quantity in wanted.items():
        if item_id not in items:
            raise UnknownError("item", item_id)
        if not items[item_id]["active"]:
            raise ConflictError(f"The item '{item_id}' is no longer sold.")
        stock = items[item_id]["stock"]
        if stock < quantity:
            raise ConflictError(
                f"The order asks for {quantity} of the item '{item_id}', but {stock} are in stock."
            )


async def _fetch(
    connection: AsyncConnection[TupleRow], name: str, values: Mapping[str, Any]
) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SQL[name], values, prepare=True)
        return await cursor.fetchall()


def _recommendation(row: Row) -> Recommendation:
    because = None
    if row["because_item_id"] is not None:
        because = Because(item_id=row["because_item_id"], title=row["because_title"])
    return Recommendation(**row, because=because)


def _receipt(rows: list[Row]) -> Receipt:
    of_items = [row for row in rows if row["item_id"] is not None]
    lines = [ReceiptLine(**row) for row in of_items]
    total = sum(row["quantity"] * row["unit_price"] for row in of_items)
    return Receipt(**rows[0], lines=lines, total=total)


def _same(receipt: Receipt, new: NewOrder) -> bool:
    recorded = {line.item_id: line.quantity for line in receipt.lines}
    return receipt.customer_id == new.customer_id and recorded == new.quantities()
