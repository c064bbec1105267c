"""PostgreSQL as a server process uses it: a bounded pool that fails fast and comes back."""

import asyncio
import select
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from services.common.log import get_logger
from services.common.postgres import MigrationError, migrate

T = TypeVar("T")
Work = Callable[[AsyncConnection[TupleRow]], Awaitable[T]]

AWAY = "The database (PostgreSQL) does not answer just now; please try again in a moment."

POOL_MAX = 10
WAITING_MAX = 50
POOL_TIMEOUT_S = 0.8
STATEMENT_TIMEOUT_MS = 1200
# A server that is frozen keeps its sockets open and never answers: then our own clock decides.
DEADLINE_S = 1.8
RETRY_S = 1.0


class DatabaseAwayError(OperationalError):
    """The database did not answer in time."""


class Database:
    """The pool, opened once the migrations are applied, and what is wrong until then."""

    def __init__(self, url: str, service: str, schema_file: Path) -> None:
        self.url = url
        self.service = service
        self.schema_file = schema_file
        self.trouble: str | None = "The database (PostgreSQL) has not answered yet."
        self.pool = connection_pool(url)
        self._left_behind: set[asyncio.Task[object]] = set()

    async def prepare(self) -> None:
        """Migrate and open the pool; while PostgreSQL is away, try again every second."""
        while True:
            if await self._migrated():
                break
            await asyncio.sleep(RETRY_S)
        await self.pool.open()
        self.trouble = None
        get_logger().info("database ready")

    async def close(self) -> None:
        await self.pool.close(timeout=RETRY_S)

    async def check(self) -> str | None:
        """What is wrong with the database, as a sentence; None when nothing is."""
        try:
            await self.run(_probe)
        except OperationalError:
            return self.trouble or AWAY
        return None

    async def run(self, work: Work[T]) -> T:
        """The result of `work` on a connection, or an `OperationalError` within two seconds."""
        task = asyncio.ensure_future(self._on_connection(work))
        done, _ = await asyncio.wait({task}, timeout=DEADLINE_S)
        if not done:
            self._leave_behind(task)
            raise DatabaseAwayError(AWAY)
        return task.result()

    async def _on_connection(self, work: Work[T]) -> T:
        # Dead connections are passed over here: the pool's own check waits between two of them.
        for _ in range(POOL_MAX + 1):
            async with self.pool.connection() as connection:
                if still_open(connection):
                    return await work(connection)
                await connection.close()
        raise DatabaseAwayError(AWAY)

    def _leave_behind(self, task: "asyncio.Task[T]") -> None:
        def forget(done: "asyncio.Task[T]") -> None:
            self._left_behind.discard(done)
            if not done.cancelled() and done.exception():
                get_logger().warning("late failure of the database", error=str(done.exception()))

        # It keeps its connection until the driver has given up, so it still counts in the pool.
        self._left_behind.add(task)
        task.add_done_callback(forget)
        task.cancel()

    async def _migrated(self) -> bool:
        try:
            applied = await asyncio.to_thread(self._migrate)
        except (psycopg.Error, MigrationError) as error:
            self.trouble = f"The database is not ready: {' '.join(str(error).split())}"
            get_logger().warning("database not ready", error=self.trouble)
            return False
        get_logger().info("migrated", applied=applied)
        return True

    def _migrate(self) -> list[int]:
        with psycopg.connect(self.url, connect_timeout=2) as connection:
            return [m.number for m in migrate(connection, self.service, self.schema_file)]


def connection_pool(url: str) -> AsyncConnectionPool[AsyncConnection[TupleRow]]:
    """A closed pool with short timeouts; its queue is bounded, so a slow database refuses early.

    Connections commit each statement by themselves. Plans are generic, because planning the answer
    for each customer anew costs as much as running it.
    """
    return AsyncConnectionPool(
        url,
        kwargs={
            "autocommit": True,
            "connect_timeout": 2,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} "
            "-c plan_cache_mode=force_generic_plan -c jit=off",
        },
        min_size=2,
        max_size=POOL_MAX,
        max_waiting=WAITING_MAX,
        timeout=POOL_TIMEOUT_S,
        # Give up early: the pool's backoff would outlast the outage, a new request tries at once.
        reconnect_timeout=RETRY_S,
        open=False,
    )


def still_open(connection: AsyncConnection[TupleRow]) -> bool:
    """Whether the server has not hung up; its goodbye is here already, so no round trip."""
    arrived = select.poll()
    arrived.register(connection.fileno(), select.POLLIN)
    try:
        # Last words may come before the end; reading on from the end is what fails.
        while arrived.poll(0):
            connection.pgconn.consume_input()
    except OperationalError:
        return False
    return True


async def _probe(connection: AsyncConnection[TupleRow]) -> None:
    await connection.execute("select 1")
