"""Kafka as a service uses it: its topics are there, and a producer that never blocks a caller."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaTimeoutError, TopicAlreadyExistsError
from kafka.partitioner import murmur2
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.structs import TopicPartition

Record = tuple[str, bytes, bytes]
"""Topic, key and value."""

Answered = Callable[[Sequence[int], bool], object]
"""Told of each record once, by its position in its group: whether Kafka has it."""

PARTITIONS = 12
HOUR_MS = 3_600_000
ATTEMPT_MS = 1500
DELIVERY_MS = 1800
BOOTSTRAP_MS = 2000
PAUSE_S = 0.05
BATCH_BYTES = 256 * 1024
MESSAGE_VERSION = 2
UNCOMPRESSED = 0
_HASHES = 16_384


@dataclass(frozen=True)
class Topic:
    """A topic that this project makes for itself when it is missing."""

    name: str
    retention_ms: int
    partitions: int = PARTITIONS

    def options(self) -> dict[str, Any]:
        """How it is made. Kafka drops whole segments, so their age is what retention can mean."""
        configs = {"retention.ms": self.retention_ms, "segment.ms": HOUR_MS}
        return {"num_partitions": self.partitions, "configs": configs}


class RecordProducer:
    """kafka-python's producer, for groups of records with keys on topics with known partitions.

    `KafkaProducer.send` makes a future, takes locks and may wake the sending thread for each single
    record, which costs more than all the rest. Here the records of a group that go to one partition
    are written into one batch of the producer's own, with one future, and the thread is woken once.
    From there on, with sequence numbers and retries, a batch is the producer's business as ever.
    """

    def __init__(self, producer: KafkaProducer, partitions: Mapping[str, int]) -> None:
        self._producer = producer
        self._partitions = {
            topic: [TopicPartition(topic, number) for number in range(count)]
            for topic, count in partitions.items()
        }

    def send(self, records: Sequence[Record], answered: Answered) -> None:
        """Send records without waiting; `answered` is called in the producer's thread.

        Each record goes where the default partitioner would send its key.
        """
        by_partition: dict[TopicPartition, list[int]] = {}
        for position, (topic, key, _) in enumerate(records):
            choice = self._partitions[topic]
            partition = choice[key_hash(key) % len(choice)]
            by_partition.setdefault(partition, []).append(position)
        for partition, positions in by_partition.items():
            for batch, written in _batches(partition, records, positions):
                batch.produce_future.add_callback(partial(_tell, answered, written))
                self._add(batch)
        self._producer._sender.wakeup()  # noqa: SLF001

    def _add(self, batch: ProducerBatch) -> None:
        """What the producer does with a new batch, in the same order and under the same lock."""
        accumulator = self._producer._accumulator  # noqa: SLF001
        partition = batch.topic_partition
        with accumulator._tp_lock(partition):  # noqa: SLF001
            accumulator._batches[partition].append(batch)  # noqa: SLF001
            accumulator._incomplete.add(batch)  # noqa: SLF001

    def close(self, timeout_s: float) -> None:
        """Wait for the records that were sent; those that are still left after that fail."""
        try:
            self._producer.close(timeout_s)
        except KafkaTimeoutError:
            # kafka-python gives up at this point and leaves its thread running.
            self._producer._sender.force_close()  # noqa: SLF001


@lru_cache(maxsize=_HASHES)
def key_hash(key: bytes) -> int:
    """The hash by which Kafka's own clients choose the partition of a key."""
    number: int = murmur2(key) & 0x7FFFFFFF
    return number


def _batches(
    partition: TopicPartition, records: Sequence[Record], positions: Sequence[int]
) -> list[tuple[ProducerBatch, list[int]]]:
    """Batches of these records of one partition, and whose records are in each."""
    now_ms = time.time_ns() // 1_000_000
    batches: list[tuple[ProducerBatch, list[int]]] = []
    builder: MemoryRecordsBuilder | None = None
    for position in positions:
        _, key, value = records[position]
        if builder is None or builder.append(now_ms, key, value, ()) is None:
            builder = MemoryRecordsBuilder(MESSAGE_VERSION, UNCOMPRESSED, BATCH_BYTES)
            builder.append(now_ms, key, value, ())
            batches.append((ProducerBatch(partition, builder), []))
        batches[-1][1].append(position)
    return batches


def _tell(answered: Answered, positions: Sequence[int], result: tuple[Any, Any, Any]) -> None:
    # Offset, time, and a function that gives the error of a record; None when all were stored.
    *_, error_of = result
    answered(positions, error_of is None)


def create_missing(bootstrap: str, topics: Sequence[Topic]) -> None:
    """Make those topics that do not exist; KafkaError when Kafka does not answer."""
    admin = KafkaAdminClient(
        bootstrap_servers=bootstrap,
        bootstrap_timeout_ms=BOOTSTRAP_MS,
        request_timeout_ms=BOOTSTRAP_MS,
    )
    try:
        known = set(admin.list_topics())
        missing = {t.name: t.options() for t in topics if t.name not in known}
        if missing:
            admin.create_topics(missing, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        # Another process was faster.
        admin.wait_for_topics([topic.name for topic in topics])
    finally:
        admin.close()


def ready_producer(bootstrap: str, topics: Sequence[Topic]) -> RecordProducer:
    """A producer that acknowledges when all replicas have a record, each record stored once.

    Its topics exist and it knows their partitions, so that `send` does not wait for anything.
    A record that can't be stored within DELIVERY_MS fails. KafkaError when Kafka is away.
    """
    create_missing(bootstrap, topics)
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_block_ms=0,
        request_timeout_ms=ATTEMPT_MS,
        delivery_timeout_ms=DELIVERY_MS,
        retry_backoff_ms=50,
        reconnect_backoff_max_ms=500,
        bootstrap_timeout_ms=BOOTSTRAP_MS,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
    try:
        partitions = {topic.name: _partitions(producer, topic.name) for topic in topics}
    except KafkaTimeoutError:
        producer.close(timeout=0)
        raise
    return RecordProducer(producer, partitions)


def _partitions(producer: KafkaProducer, topic: str) -> int:
    end_s = time.monotonic() + BOOTSTRAP_MS / 1000
    while True:
        try:
            return len(producer.partitions_for(topic))
        except KafkaTimeoutError:
            if time.monotonic() > end_s:
                raise
            time.sleep(PAUSE_S)
