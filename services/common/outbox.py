"""From asyncio to Kafka: records are put without waiting, and each is answered when it is stored.

Records leave in groups, because a group costs Kafka and its client much more than a record does: a
group gathers for a few milliseconds, and while another one is under way until that is answered, so
that groups grow with the load by themselves. kafka-python has a thread of its own; what it
acknowledges together comes back in one call into the event loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from kafka.errors import KafkaError

from services.common.kafka import Answered, Record
from services.common.log import get_logger

LINGER_S = 0.005
PATIENCE_S = 0.03
DEADLINE_S = 2.0
WATCH_S = 0.1
RETRY_S = 0.5
CLOSE_S = 2.0
AWAY = "Kafka does not answer just now; nothing was kept, please send it again in a moment."


Answer = tuple[Sequence["asyncio.Future[bool]"], Sequence[int], bool]
"""A group, the positions of records in it, and whether Kafka has these."""


class KafkaAwayError(Exception):
    """Kafka can't take records now; the text is a sentence."""


class Producer(Protocol):
    """What is needed of a producer; `services.common.kafka` has the real one."""

    def send(self, records: Sequence[Record], answered: Answered) -> None: ...
    def close(self, timeout_s: float) -> None: ...


class Outbox:
    """Records on their way to Kafka.

    connect: gives a producer that is ready to send, or raises KafkaError or OSError. It is called
    in a thread, again and again while Kafka is away, and anew when Kafka stays silent on records.
    linger_s: how long a group gathers; patience_s: how much longer while another is under way.
    deadline_s: after which a record without an answer counts as not stored.
    """

    def __init__(
        self,
        connect: Callable[[], Producer],
        linger_s: float = LINGER_S,
        patience_s: float = PATIENCE_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.trouble: str | None = "Kafka has not answered yet."
        self._connect = connect
        self._linger_s = linger_s
        self._patience_s = patience_s
        self._deadline_s = deadline_s
        self._producer: Producer | None = None
        self._loop: asyncio.AbstractEventLoop
        self._gathered: list[tuple[Record, asyncio.Future[bool]]] = []
        self._gathered_s = 0.0
        self._timer: asyncio.TimerHandle
        self._is_due = False
        self._waiting: deque[tuple[float, asyncio.Future[bool]]] = deque()
        self._arrived: deque[Answer] = deque()
        self._called = False
        self._heard_s = 0.0

    async def check(self) -> str | None:
        """What is wrong with Kafka, as a sentence; None when nothing is known to be."""
        return self.trouble

    def put(self, topic: str, key: bytes, value: bytes) -> "asyncio.Future[bool]":
        """Send a record; the future says within the deadline whether Kafka has it.

        When it says no, the record may have been stored all the same: the answer was lost.
        KafkaAwayError when it can't even be tried.
        """
        if self._producer is None:
            raise KafkaAwayError(AWAY)
        loop = self._loop
        if not self._gathered:
            self._gathered_s = loop.time()
            self._timer = loop.call_later(self._linger_s, self._linger_over)
        stored: asyncio.Future[bool] = loop.create_future()
        self._gathered.append(((topic, key, value), stored))
        return stored

    async def run(self) -> None:
        """Keep a producer at hand until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                producer = await self._connected()
                self._producer, self.trouble = producer, None
                self._heard_s = self._loop.time()
                get_logger().info("kafka ready")
                while self._producer:
                    await asyncio.sleep(WATCH_S)
                    self._expire()
                await asyncio.to_thread(producer.close, 0)
        finally:
            if self._producer:
                producer, self._producer = self._producer, None
                await asyncio.to_thread(producer.close, CLOSE_S)

    async def _connected(self) -> Producer:
        while True:
            try:
                return await asyncio.to_thread(self._connect)
            except (KafkaError, OSError) as error:
                self.trouble = f"Kafka is not ready: {' '.join(str(error).split())}"
                get_logger().warning("kafka not ready", error=self.trouble)
            await asyncio.sleep(RETRY_S)
            self._expire()

    def _linger_over(self) -> None:
        if self._waiting:
            # One slow broker of many must not hold up the others for long.
            self._is_due = True
            self._timer = self._loop.call_later(self._patience_s, self._hand_over)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        self._timer.cancel()
        self._is_due = False
        group, self._gathered = self._gathered, []
        futures = [stored for _, stored in group]
        self._waiting.extend((self._gathered_s, stored) for stored in futures)
        if self._producer is None:
            self._arrived.append((futures, range(len(group)), False))
            self._loop.call_soon(self._settle)
            return
        self._producer.send([record for record, _ in group], partial(self._answer, futures))

    def _answer(
        self,
        futures: Sequence["asyncio.Future[bool]"],
        positions: Sequence[int],
        kept: bool,
    ) -> None:
        # In the producer's thread. Whoever finds no call under way makes one for all that follow.
        self._arrived.append((futures, positions, kept))
        if not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._called = False
        arrived = self._arrived
        while arrived:
            futures, positions, kept = arrived.popleft()
            if kept:
                self._heard_s = self._loop.time()
            for position in positions:
                if not futures[position].done():
                    futures[position].set_result(kept)
        self._forget_answered()
        if self._is_due and not self._waiting:
            self._hand_over()

    def _expire(self) -> None:
        overdue_s = self._loop.time() - self._deadline_s
        for sent_s, stored in self._waiting:
            if sent_s > overdue_s:
                break
            if not stored.done():
                stored.set_result(False)
        self._forget_answered()

    def _forget_answered(self) -> None:
        """Up to the first that waits; one that failed, with none stored since, means silence."""
        waiting = self._waiting
        while waiting and waiting[0][1].done():
            sent_s, stored = waiting.popleft()
            if not stored.cancelled() and not stored.result() and self._heard_s < sent_s:
                self._lose("It left a record without an answer.")

    def _lose(self, reason: str) -> None:
        if self._producer:
            self.trouble = AWAY
            get_logger().warning("kafka away", error=reason)
        self._producer = None
