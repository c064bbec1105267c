"""Posts batches as trackers do: each again under the same id until it is acknowledged.

Some are sent again although they were acknowledged, some twice at the same moment, and all in
another order than they were made in.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from tests.heat.truth import Parcel

ANSWER_S = 10.0
PAUSE_S = 0.1
AGAIN_SHARE = 0.05
AT_ONCE_SHARE = 0.01
SHUFFLED = 200
NOT_NOW = (429, 503)


class RefusedError(AssertionError):
    """The collector answered a valid batch with something else than yes or not now."""


@dataclass
class Counts:
    """What the senders met."""

    acknowledged: int = 0
    copies: int = 0
    not_now: int = 0
    broken: int = 0


def shuffled(parcels: Iterable[Parcel], seed: int) -> Iterator[Parcel]:
    """The same, in random order within neighbours, some of them a second time."""
    chance = random.Random(seed)
    parcels = iter(parcels)
    while waiting := list(islice(parcels, SHUFFLED)):
        waiting += [one for one in waiting if chance.random() < AT_ONCE_SHARE]
        chance.shuffle(waiting)
        yield from waiting


class Poster:
    """Sends over some kept connections and counts what comes back."""

    def __init__(
        self,
        host: str,
        port: int,
        connections: int = 8,
        seed: int = 1,
        again_share: float = AGAIN_SHARE,
    ) -> None:
        self._host, self._port = host, port
        self._connections = connections
        self._again_share = again_share
        self._chance = random.Random(seed)
        self.counts = Counts()

    async def send(
        self, parcels: Iterator[Parcel], after_each: Callable[[Counts], None] = lambda _: None
    ) -> None:
        """Send all; `after_each` is called after each acknowledgement."""
        async with asyncio.TaskGroup() as senders:
            for _ in range(self._connections):
                senders.create_task(self._sender(parcels, after_each))

    async def _sender(
        self, parcels: Iterator[Parcel], after_each: Callable[[Counts], None]
    ) -> None:
        connection = Connection(self._host, self._port)
        for parcel in parcels:
            first_s = time.monotonic()
            await self._until_acknowledged(connection, parcel, first_s)
            self.counts.acknowledged += 1
            if self._chance.random() < self._again_share:
                self.counts.copies += 1
                await self._until_acknowledged(connection, parcel, first_s)
            after_each(self.counts)
        connection.close()

    async def _until_acknowledged(
        self, connection: "Connection", parcel: Parcel, first_s: float
    ) -> None:
        while True:
            body = parcel.body(round((time.monotonic() - first_s) * 1000))
            try:
                async with asyncio.timeout(ANSWER_S):
                    status, answer = await connection.post(body, parcel.agent)
            except (OSError, EOFError, TimeoutError):
                connection.close()
                self.counts.broken += 1
            else:
                if status == 200:
                    assert b"rejected" not in answer, answer
                    return
                if status not in NOT_NOW:
                    raise RefusedError(f"{status}: {answer!r} for {body!r}")
                self.counts.not_now += 1
            await asyncio.sleep(PAUSE_S)


class Connection:
    """HTTP/1.1 over a kept connection, just enough for a load generator that must be cheap."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes, agent: str) -> tuple[int, bytes]:
        """Status and body of the answer; OSError or EOFError when the connection breaks."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(
            f"POST /collect HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nUser-Agent: {agent}\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = int(head[9:12]), 0
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length":
                length = int(value)
        return status, await reader.readexactly(length)

    def close(self) -> None:
        """Forget the connection; the next post opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
