"""Kafka as a service uses it: its topics are there, and a producer that never blocks a caller."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaTimeoutError, TopicAlreadyExistsError
from kafka.future import Future
from kafka.net.compat import KafkaNetClient
from kafka.partitioner import murmur2

Record = tuple[str, bytes, bytes]
"""Topic, key and value."""

PARTITIONS = 12
HOUR_MS = 3_600_000
ATTEMPT_MS = 1500
DELIVERY_MS = 1800
BOOTSTRAP_MS = 2000
PAUSE_S = 0.05
GROUP_BYTES = 256 * 1024
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


class HeldClient(KafkaNetClient):
    """A network client whose sending thread is woken once for a group of records.

    Waking it for each record makes the two threads pass the interpreter lock to and fro, which
    costs more than the records do.
    """

    def __init__(self, **configs: Any) -> None:
        super().__init__(**configs)  # type: ignore[no-untyped-call]
        self._held = False

    def wakeup(self) -> None:
        if not self._held:
            super().wakeup()  # type: ignore[no-untyped-call]

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Records sent within leave together at its end."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.wakeup()


class RecordProducer:
    """kafka-python's producer, for groups of records with keys, on topics with known partitions.

    It chooses the partition as the default partitioner does, but works out the hash of a key once
    and not for each record.
    """

    def __init__(
        self, producer: KafkaProducer, client: HeldClient, partitions: Mapping[str, int]
    ) -> None:
        self._producer = producer
        self._client = client
        self._partitions = partitions

    def send(self, records: Iterable[Record]) -> list[Future]:
        """Send records without waiting; the futures call back in the producer's thread.

        KafkaError when one can't be sent; those before it were, and what happens to them is open.
        """
        partitions = self._partitions
        with self._client.holding():
            return [
                self._producer.send(topic, value, key, None, key_hash(key) % partitions[topic])
                for topic, key, value in records
            ]

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
    clients: list[HeldClient] = []

    def client(**configs: Any) -> HeldClient:
        clients.append(HeldClient(**configs))
        return clients[0]

    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        kafka_client=client,
        acks="all",
        enable_idempotence=True,
        batch_size=GROUP_BYTES,
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
    return RecordProducer(producer, clients[0], partitions)


def _partitions(producer: KafkaProducer, topic: str) -> int:
    end_s = time.monotonic() + BOOTSTRAP_MS / 1000
    while True:
        try:
            return len(producer.partitions_for(topic))
        except KafkaTimeoutError:
            if time.monotonic() > end_s:
                raise
            time.sleep(PAUSE_S)
