"""A shop whose orders come from files, for the tests of loading."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

COLUMNS = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID",
    "Country",
)  # fmt: skip
TABLES = ("item", "customer", "orders", "order_line", "purchase", "popularity", "item_title")
DEADLINE_S = 120

# Loads in chunks of 40 rows and, after the third, waits for a line on its input.
PAUSING_LOAD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import psycopg
from services.common.postgres import migrate, queries
from services.recommender.loading.intake import Intake
from services.recommender.loading.ledger import Source, one_load_at_a_time
from services.recommender.load import ROOM
from services.recommender.loading.sources import sha256_of

def pause(rows_done, rows_total):
    if rows_done == 120:
        print("three chunks", flush=True)
        sys.stdin.readline()

url, orders, state = sys.argv[1:]
with psycopg.connect(url, autocommit=True, application_name="pausing") as connection:
    migrate(connection, "recommender", ROOM / "schema.sql")
    statements = queries(ROOM / "loading" / "load.sql")
    source = Source("orders.csv", Path(orders), sha256_of(Path(orders)))
    with one_load_at_a_time(connection):
        intake = Intake(connection, statements, Path(state) / "recommender", datetime.now(UTC))
        intake.load(source, pause, chunk_rows=40)
"""

Row = tuple[object, ...]


class Shop:
    """An empty database and what the command does to it."""

    def __init__(self, url: str, state_dir: Path) -> None:
        self.url = url
        self.state_dir = state_dir

    def load(
        self,
        *arguments: str | Path,
        status: int = 0,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Run the command; give what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "services.recommender.load", *arguments],
            env={**os.environ, **self.environment, **environment},
            capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        printed = done.stdout + done.stderr
        assert done.returncode == status, printed
        assert "Traceback" not in printed
        return printed

    @property
    def environment(self) -> dict[str, str]:
        return {
            "POSTGRES_URL": self.url,
            "STATE_DIR": str(self.state_dir),
            "CACHE_DIR": str(self.state_dir / "cache"),
        }

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def one(self, query: str) -> Any:
        return self.all(query)[0][0]

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table that loading fills."""
        return {table: self.all(f"select * from {table} t order by t::text") for table in TABLES}

    def empty(self) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute("drop schema public cascade")
            connection.execute("create schema public")

    def rejects(self) -> list[list[str]]:
        (file,) = (self.state_dir / "recommender").glob("rejects-*.csv")
        with file.open(newline="") as lines:
            return list(csv.reader(lines))


def write(path: Path, rows: Iterable[Row], header: Row = COLUMNS) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def order(number: int, lines: int = 3, customer: object = "") -> Iterator[Row]:
    """Lines of one order; items and prices follow from the number alone."""
    for line in range(lines):
        item = 10_000 + (number * 7 + line * line) % 40
        when = f"2011-03-{1 + number % 28:02} 10:00:00"
        yield number, f"{item}A", f"JUTE BAG {item}", 1 + line, when, 1.5 + line, customer, "France"


def orders(numbers: Iterable[int]) -> list[Row]:
    """Orders of which every third is a guest's, every fifth with a line that cannot be loaded."""
    rows: list[Row] = []
    for number in numbers:
        rows += order(number, customer="" if number % 3 == 0 else 500 + number % 11)
        if number % 5 == 0:
            rows.append((number, "10001", "BROKEN", -1, "2011-03-01", 1, "", "France"))
    return rows
