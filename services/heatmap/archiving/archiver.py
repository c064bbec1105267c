"""Follows the topic as a member of a group and keeps its batches as files.

Kafka says which partitions are this process's; where each goes on, the files' names say. Nothing is
committed to Kafka, and nothing that Kafka forgets can be kept twice or skipped.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.common.log import get_logger
from services.heatmap.archiving.partition import Partition
from services.heatmap.archiving.rows import Row
from services.heatmap.archiving.writing import merge, small_files
from services.heatmap.events import decode

FLUSH_EVERY_S = 60.0
FLUSH_BATCHES = 20_000
FLUSH_BYTES = 32 * 2**20
TIDY_EVERY_S = 600.0
POLL_MS = 500
# A day is past when nothing received on it can still be on its way.
_DAY_ENDS_AFTER = timedelta(minutes=10)


class ArchiveMetrics:
    """What the archive has kept and how far it is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.kept = Counter(
            "heatmap_archive_batches_total", "Batches written to files.", registry=registry
        )
        self.unreadable = Counter(
            "heatmap_archive_unreadable_total", "Records that are no batch.", registry=registry
        )
        self.waiting = Gauge(
            "heatmap_archive_waiting", "Batches read and not yet written.", registry=registry
        )


class Archiver(ConsumerRebalanceListener):
    """Moves batches from a subscribed consumer into the files of `folder`.

    monotonic_s: the clock that flushes go by.
    """

    def __init__(
        self,
        consumer: KafkaConsumer,
        folder: Path,
        metrics: ArchiveMetrics,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._folder = folder
        self._metrics = metrics
        self._monotonic_s = monotonic_s
        self._partitions: dict[int, Partition] = {}
        self._waiting = self._waiting_bytes = 0
        self._since_s = self._tidy_s = monotonic_s()

    def step(self) -> None:
        """Take what has come, and write when it is time to; ArchiveError when it may not."""
        for topic_partition, records in self._consumer.poll(timeout_ms=POLL_MS).items():
            self._take(topic_partition, records)
        if self._is_due():
            self.flush()
        if self._monotonic_s() >= self._tidy_s and not self._merge_some():
            self._tidy_s = self._monotonic_s() + TIDY_EVERY_S

    def flush(self) -> None:
        """Write what waits."""
        for partition in self._partitions.values():
            self._metrics.kept.inc(partition.flush())
        self._waiting = self._waiting_bytes = 0
        self._metrics.waiting.set(0)

    def close(self) -> None:
        """Write what waits and leave the partitions to others."""
        self.on_partitions_revoked(TopicPartition("", number) for number in [*self._partitions])

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing: a partition is opened when its first batch comes."""

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Write what waits before another process goes on with these partitions."""
        self.flush()
        for topic_partition in revoked:
            partition = self._partitions.pop(topic_partition.partition, None)
            if partition is not None:
                partition.close()

    def _take(self, topic_partition: TopicPartition, records: list[Any]) -> None:
        number = topic_partition.partition
        if number not in self._partitions:
            self._partitions[number] = Partition(self._folder, number)
            if records[0].offset != self._partitions[number].next:
                self._consumer.seek(topic_partition, self._partitions[number].next)
                return
        for record in records:
            self._keep(self._partitions[number], record)
        self._metrics.waiting.set(self._waiting)

    def _keep(self, partition: Partition, record: Any) -> None:
        try:
            batch = decode(record.value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            get_logger().error(
                "a record is no batch and is not kept",
                partition=record.partition,
                offset=record.offset,
                reason=str(error),
            )
            self._metrics.unreadable.inc()
            partition.skip(record.offset)
            return
        partition.add(Row(record.partition, record.offset, batch))
        if self._waiting == 0:
            self._since_s = self._monotonic_s()
        self._waiting += 1
        self._waiting_bytes += len(record.value)

    def _is_due(self) -> bool:
        full = self._waiting >= FLUSH_BATCHES or self._waiting_bytes >= FLUSH_BYTES
        return full or (self._waiting > 0 and self._monotonic_s() - self._since_s >= FLUSH_EVERY_S)

    def _merge_some(self) -> bool:
        """Merge some files of past days; whether there were any."""
        today = (datetime.now(UTC) - _DAY_ENDS_AFTER).date()
        for number in self._partitions:
            small = small_files(self._folder, number, today)
            if small:
                merge(self._folder, small)
                return True
        return False
