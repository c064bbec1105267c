"""A load client for the collector, as cheap as Python allows: bodies are made before it starts.

`python -m tests.bench.heatmap.firing PORT BATCHES CONNECTIONS` posts batches over kept connections,
on each the next one when the last was answered. Any answer but a plain yes ends it.
"""

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import cast

import uvloop

from tests.heat.steady import steady_parcels

PAGES = 200
BODIES = 4_000
ADDRESSES = 1_000
OK = b"HTTP/1.1 200 "


@dataclass
class Round:
    """What all connections share."""

    requests: Iterator[bytes]
    left: int
    finished: asyncio.Future[None]
    open: int = 0


class Connection(asyncio.Protocol):
    """Posts one request after the other until the round is over."""

    def __init__(self, shared: Round) -> None:
        self._round = shared
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:

        self._transport = cast(asyncio.Transport, transport)
        self._round.open += 1
        self._post()

    def _post(self) -> None:
        if self._round.left == 0:
            self._transport.close()
            return
        self._round.left -= 1
        self._transport.write(next(self._round.requests))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        # Headers and body may come apart; the body is one JSON object.
        if not self._answer.endswith(b"}"):
            return
        if not self._answer.startswith(OK) or b"rejected" in self._answer:
            self._round.finished.set_exception(AssertionError(self._answer.decode()))
            return
        self._answer = b""
        self._post()

    def connection_lost(self, exc: Exception | None) -> None:
        self._round.open -= 1
        if self._round.open == 0 and not self._round.finished.done():
            self._round.finished.set_result(None)


def requests(port: int) -> list[bytes]:
    """Requests as a proxy passes them on from browsers, of many addresses and pages."""
    chance = random.Random(port)
    made = []
    for number, parcel in enumerate(steady_parcels(BODIES, PAGES, chance)):
        body = parcel.body(0)
        address = number % ADDRESSES
        head = (
            f"POST /collect HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {parcel.agent}\r\n"
            f"X-Forwarded-For: 198.51.{address // 250}.{address % 250}\r\nAccept: */*\r\n"
            "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
            "Origin: https://shop.example\r\nReferer: https://shop.example/\r\n"
            f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def fire(port: int, batches: int, connections: int) -> None:
    """Post so many batches; AssertionError with the answer when one was not taken."""
    loop = asyncio.get_running_loop()
    shared = Round(cycle(requests(port)), batches, loop.create_future())
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(shared), "127.0.0.1", port)
    await shared.finished


if __name__ == "__main__":
    # Answers should not interrupt the collector by waking who waits for them.
    os.nice(19)
    uvloop.run(fire(*map(int, sys.argv[1:4])))
