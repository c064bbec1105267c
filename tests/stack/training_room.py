"""A room of its own for a training: a database, a folder, and the commands that run there."""

import csv
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from mlflow import MlflowClient

from services.common.postgres import migrate
from tests.demo import Demo
from tests.stack.shop import SCHEMA

COLUMNS = ("order", "item", "name", "amount", "at", "price", "buyer")
MAPPING = (
    "order_id=order,item_id=item,title=name,quantity=amount,ordered_at=at,unit_price=price,"
    "customer_id=buyer"
)
SQL = Path("services/recommender/training/training.sql")
COLOURS = ("RED", "BLUE", "GREEN", "PINK")
DEADLINE_S = 600


def write_orders(file: Path, orders: int = 600) -> Path:
    """Orders of 100 days by 60 customers who keep to one of four themes of ten items each."""
    chance = random.Random(7)
    with file.open("w", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(COLUMNS)
        for number in range(orders):
            customer = chance.randrange(60)
            at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=100 * number / orders)
            for item in chance.sample(range(10), 3):
                theme = customer % 4
                name = f"{COLOURS[theme]} THING {item}"
                rows.writerow((number, f"{theme}{item:03}", name, 1, at, 2 + item, f"c{customer}"))
    return file


@dataclass(frozen=True)
class Room:
    """One database, and the commands run on it beside the shared stack."""

    url: str
    environment: dict[str, str]
    folder: Path

    def run(self, module: str, *arguments: str | Path, status: int = 0, **settings: str) -> str:
        """Run a command; give what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", f"services.recommender.{module}", *arguments],
            env={**os.environ, **self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == status, printed
        assert "Traceback" not in printed
        return printed

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def one(self, query: str) -> Any:
        return self.all(query)[0][0]

    def do(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode())

    @property
    def mlflow(self) -> MlflowClient:
        return MlflowClient(self.environment["MLFLOW_TRACKING_URI"])

    @property
    def serving(self) -> int:
        version: int = self.one("select model_version from model_alias")
        return version

    def leftovers(self) -> list[tuple[Any, ...]]:
        """Schemas of evaluations and rows of versions that never served."""
        return self.all(
            "select nspname from pg_namespace where nspname like 'evaluation%' union all"
            " select model_version::text from model_version where published_at is null"
        )


@dataclass(frozen=True)
class Trained:
    """A room after one training, what that printed, and what it left in the working folder."""

    room: Room
    printed: str
    new_files: set[Path]


def room_of(stack: Demo, url: str, folder: Path) -> Room:
    with psycopg.connect(url) as connection:
        migrate(connection, "recommender", SCHEMA)
    own = {"POSTGRES_URL": url, "STATE_DIR": str(folder / "var")}
    return Room(url, stack.environment() | own, folder)


def load(room: Room) -> Room:
    room.run("load", "--orders", write_orders(room.folder / "orders.csv"), "--mapping", MAPPING)
    return room
