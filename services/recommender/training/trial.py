"""A trial: the SQL function that serves, asked about orders that came later.

It runs in a schema of its own that shows the shop as it was at the cut, made from the same schema
file; so what is judged is what will serve, and the shop's tables are never touched.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from services.common.postgres import migrate
from services.recommender.protocol import (
    PLACES,
    Invoice,
    Judged,
    Report,
    Split,
    judge,
    question,
    report,
)
from services.recommender.recipe import Recipe
from services.recommender.training.publish import Statements, new_version, serve

ROOM = Path(__file__).parents[1]
CONNECTIONS = 2
FAMILY_CAP = 2
NO_FAMILY_CAP = PLACES


@dataclass(frozen=True)
class Trial:
    """The shop at the cut, and the later invoices of the customers who will ask."""

    postgres_url: str
    schema: str
    statements: Statements
    invoices: Sequence[Invoice]
    asked: frozenset[str]
    catalogue: frozenset[str]
    bought: dict[str, frozenset[str]]

    def serve(self, recipe: Recipe, *, without_neighbours: bool = False) -> int:
        """Let a new version serve in the trial; its neighbours are to be written yet."""
        with connect(self.postgres_url, self.schema) as connection:
            version = new_version(connection, self.statements, "trial")
            serve(connection, self.statements, version, recipe)
            if without_neighbours:
                connection.execute(self.statements["only_whole_shop"])
        return version

    def judge(self, family_cap: int = FAMILY_CAP) -> Report | None:
        """Ask about each chosen invoice, in order; two connections share the customers."""
        with connect(self.postgres_url, self.schema) as connection:
            connection.execute(self.statements["analyze_neighbours"])
        customers = sorted(self.bought.keys() | {i.customer_id for i in self.invoices})
        shares = [frozenset(customers[n::CONNECTIONS]) for n in range(CONNECTIONS)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            parts = pool.map(lambda share: self._judge(share, family_cap), shares)
        return report([judged for part in parts for judged in part], len(self.catalogue))

    def _judge(self, customers: frozenset[str], family_cap: int) -> list[Judged]:
        # Purchases of the trial are undone, so that the next model meets the same customers.
        with (
            connect(self.postgres_url, self.schema) as connection,
            connection.transaction(force_rollback=True),
        ):
            return list(self._answers(connection, customers, family_cap))

    def _answers(
        self, connection: Connection, customers: frozenset[str], family_cap: int
    ) -> Iterator[Judged]:
        bought = {customer: set(self.bought.get(customer, ())) for customer in customers}
        for invoice in self.invoices:
            if invoice.customer_id not in customers:
                continue
            before = bought[invoice.customer_id]
            asked = question(invoice, self.catalogue, before)
            if asked and invoice.order_id in self.asked:
                answers = self._ask(connection, invoice, sorted(asked.targets), family_cap)
                yield judge(invoice, asked, answers)
            before.update(invoice.items)
            connection.execute(
                self.statements["remember"],
                {
                    "customer": invoice.customer_id,
                    "items": list(invoice.items),
                    "ordered_at": invoice.ordered_at,
                },
                prepare=True,
            )

    def _ask(
        self, connection: Connection, invoice: Invoice, seeds: list[str], family_cap: int
    ) -> dict[str, list[str]]:
        rows = connection.execute(
            self.statements["ask"],
            {
                "seeds": seeds,
                "customer": invoice.customer_id,
                "places": PLACES,
                "family_cap": family_cap,
            },
            prepare=True,
        )
        return dict(rows.fetchall())


def connect(postgres_url: str, schema: str) -> Connection:
    """A connection that sees one schema and plans as the API's connections do."""
    return psycopg.connect(
        postgres_url,
        autocommit=True,
        connect_timeout=5,
        options=f"-c search_path={schema} -c plan_cache_mode=force_generic_plan -c jit=off",
    )


@contextmanager
def scratch_schema(postgres_url: str) -> Iterator[str]:
    """The name of a new schema with the recommender's empty tables, dropped afterwards."""
    name = f"evaluation_{os.getpid()}_{os.urandom(3).hex()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
    try:
        with connect(postgres_url, name) as connection:
            migrate(connection, "recommender", ROOM / "schema.sql")
        yield name
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            drop_schema(connection, name)


def drop_schema(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))


def later_invoices(
    postgres_url: str, source: str, statements: Statements, split: Split
) -> list[Invoice]:
    """The orders of known customers within the split's test time, in the order they came."""
    query = statements["invoices"].format(
        source=sql.Identifier(source), cut=sql.Literal(split.cut), end=sql.Literal(split.end)
    )
    with connect(postgres_url, source) as connection:
        return [
            Invoice(order_id, customer_id, ordered_at, tuple(items))
            for order_id, customer_id, ordered_at, items in connection.execute(query)
        ]


@contextmanager
def trial(
    postgres_url: str,
    source: str,
    statements: Statements,
    *,
    split: Split,
    invoices: Sequence[Invoice],
    asked: frozenset[str],
) -> Iterator[Trial]:
    """The shop of the schema `source` as it was at the cut, ready to be asked about `asked`."""
    customers = sorted({i.customer_id for i in invoices if i.order_id in asked})
    replayed = [i for i in invoices if i.customer_id in set(customers)]
    with scratch_schema(postgres_url) as schema, connect(postgres_url, schema) as connection:
        for name in ("as_of_cut", "admit"):
            connection.execute(
                statements[name].format(
                    source=sql.Identifier(source),
                    cut=sql.Literal(split.cut),
                    customers=sql.Literal(customers),
                )
            )
        catalogue = frozenset(item for (item,) in connection.execute(statements["catalogue"]))
        bought = {c: frozenset(items) for c, items in connection.execute(statements["bought"])}
        yield Trial(postgres_url, schema, statements, replayed, asked, catalogue, bought)
