"""A small shop in a real database, the API over it on a free port, and a wire that can break."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import uvicorn
from fastapi import FastAPI

from services.common.postgres import migrate
from services.common.settings import Settings
from services.recommender.api import build_with_database
from tests.waiting import until

SCHEMA = Path("services/recommender/schema.sql")
OPENED = datetime(2011, 1, 1, tzinfo=UTC)
START_DEADLINE_S = 60


@dataclass(frozen=True)
class Thing:
    """An item of the small shop."""

    item_id: str
    family_id: str
    category: str = "cup"
    stock: int = 10
    active: bool = True


@dataclass(frozen=True)
class SmallShop:
    """Items, purchases of the customer `c` from the oldest on, orders of guests, neighbours."""

    things: tuple[Thing, ...]
    bought: tuple[str, ...] = ()
    sold: tuple[str, ...] = ()
    neighbours: dict[str, tuple[str, ...]] = field(default_factory=dict)
    model: bool = True

    def fill(self, connection: psycopg.Connection) -> None:
        """Write the shop into empty tables; popularity from its orders, scores from the ranks."""
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into item values (%s, %s, %s, %s, 1.00, %s, %s, %s)",
                [
                    (t.item_id, t.family_id, t.category, t.item_id, t.stock, t.active, OPENED)
                    for t in self.things
                ],
            )
            cursor.execute("insert into customer values ('c', 'here', %s)", [OPENED])
            cursor.executemany(
                "insert into purchase values ('c', %s, 1, %s)",
                [(item, OPENED + timedelta(days=day)) for day, item in enumerate(self.bought)],
            )
            cursor.executemany(
                "insert into orders values (%s, null, %s)",
                [(f"o{i}", OPENED) for i, _ in enumerate(self.sold)],
            )
            cursor.executemany(
                "insert into order_line values (%s, 1, %s, 1, 1.00)",
                [(f"o{i}", item) for i, item in enumerate(self.sold)],
            )
            cursor.execute("select refresh_popularity(%s)", [OPENED])
        if self.model:
            serve_model(connection, self.neighbours)


def serve_model(
    connection: psycopg.Connection, neighbours: dict[str, tuple[str, ...]], *, serve: bool = True
) -> int:
    """Write a version of the model, and let it serve; give its number."""
    row = connection.execute(
        "insert into model_version (mlflow_run_id) values ('run') returning model_version"
    ).fetchone()
    assert row is not None
    version: int = row[0]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into item_neighbour values (%s, %s, %s, %s, %s, 1)",
            [
                (version, item, rank, near, 1 / rank)
                for item, nearest in neighbours.items()
                for rank, near in enumerate(nearest, start=1)
            ],
        )
    if serve:
        move_alias(connection, version)
    return version


def move_alias(connection: psycopg.Connection, version: int) -> None:
    connection.execute(
        "insert into model_alias (alias, model_version, history_items, history_weight,"
        " popularity_weight) values ('champion', %s, 20, 3.0, 0.1)"
        " on conflict (alias) do update set model_version = excluded.model_version",
        [version],
    )


def open_shop(database_url: str, shop: SmallShop) -> None:
    """Migrate an empty database and fill the shop into it."""
    with psycopg.connect(database_url) as connection:
        migrate(connection, "recommender", SCHEMA)
        shop.fill(connection)


def plain_shop(count: int = 12) -> SmallShop:
    """Items i00, i01, ... of one category and a family each; every one is near every other."""
    ids = [f"i{n:02}" for n in range(count)]
    near = {i: tuple(j for j in ids if j != i) for i in ids}
    return SmallShop(tuple(Thing(i, family_id=i) for i in ids), neighbours=near)


@contextmanager
def serving(database_url: str) -> Iterator[str]:
    """The recommender as it ships, over this database; its address."""
    with running(build_with_database(Settings(postgres_url=database_url))) as url:
        yield url


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """An application in a thread on a free port; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        until(lambda: server.started, START_DEADLINE_S)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


class Wire:
    """A TCP way to the database that can be cut, as by kill -9, or frozen, as by SIGSTOP."""

    def __init__(self, database_url: str) -> None:
        self._to = urlsplit(database_url)
        self._flows = threading.Event()
        self._flows.set()
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            self._port: int = reserved.getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.mend()

    @property
    def url(self) -> str:
        user = self._to.netloc.rpartition("@")[0]
        return self._to._replace(netloc=f"{user}@127.0.0.1:{self._port}").geturl()

    def cut(self) -> None:
        """Reset all connections and refuse new ones."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    def mend(self) -> None:
        """Let new connections through, and frozen ones go on."""
        self._flows.set()
        if self._server is None:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def freeze(self) -> None:
        """Keep all connections, and carry nothing."""
        self._flows.clear()

    def close(self) -> None:
        self.mend()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self._port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.transport.abort()
        # A turn of the loop for the carriers to end.
        await asyncio.sleep(0.05)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._to.hostname, self._to.port
        there_reader, there_writer = await asyncio.open_connection(host, port)
        self._open |= {writer, there_writer}
        await asyncio.gather(self._carry(reader, there_writer), self._carry(there_reader, writer))
        self._open -= {writer, there_writer}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while some := await reader.read(65536):
                while not self._flows.is_set():
                    await asyncio.sleep(0.01)
                writer.write(some)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@contextmanager
def wire_to(database_url: str) -> Iterator[Wire]:
    wire = Wire(database_url)
    try:
        yield wire
    finally:
        wire.close()


def ids(items: Sequence[dict[str, object]]) -> list[str]:
    return [str(item["item_id"]) for item in items]
