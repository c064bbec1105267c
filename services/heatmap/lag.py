"""How far the grids are behind: what the topic has beyond what was applied."""

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError

from services.heatmap.answers import Lag, PartitionLag

TIMEOUT_MS = 1500
FRESH_S = 0.5


class Ends(Protocol):
    async def ends(self) -> Mapping[int, int]:
        """Where the next record of each partition will be; KafkaError while Kafka is away."""
        ...


class TopicEnds:
    """The ends of a topic, asked at most twice a second by one consumer of its own."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._consumer: KafkaConsumer | None = None
        self._asking = asyncio.Lock()
        self._known: dict[int, int] = {}
        self._known_s = -FRESH_S

    async def ends(self) -> Mapping[int, int]:
        async with self._asking:
            if time.monotonic() - self._known_s >= FRESH_S:
                self._known = await asyncio.to_thread(self._ask)
                self._known_s = time.monotonic()
            return self._known

    async def close(self) -> None:
        async with self._asking:
            await asyncio.to_thread(self._drop)

    def _ask(self) -> dict[int, int]:
        try:
            consumer = self._connected()
            numbers = consumer.partitions_for_topic(self._topic) or ()
            ends = consumer.end_offsets(
                [TopicPartition(self._topic, n) for n in numbers], timeout_ms=TIMEOUT_MS
            )
        except KafkaError:
            self._drop()
            raise
        if not ends:
            raise KafkaTimeoutError(f"The topic {self._topic} is not there yet.")
        return {partition.partition: end for partition, end in ends.items()}

    def _connected(self) -> KafkaConsumer:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=None,
                request_timeout_ms=TIMEOUT_MS,
                bootstrap_timeout_ms=TIMEOUT_MS,
            )
        return self._consumer

    def _drop(self) -> None:
        if self._consumer is not None:
            self._consumer.close(timeout_ms=0)
            self._consumer = None


def lag(ends: Mapping[int, int], applied: Mapping[int, int]) -> Lag:
    """How many records of each partition are not in the grids yet.

    applied: the first offset that is not; 0 for a partition of which nothing was applied, so that
    records which the topic has dropped since count as missing, too.
    """
    partitions = [
        PartitionLag(
            partition=number,
            next_offset=applied.get(number, 0),
            end_offset=end,
            behind=max(0, end - applied.get(number, 0)),
        )
        for number, end in sorted(ends.items())
    ]
    return Lag(behind=sum(one.behind for one in partitions), partitions=partitions)
