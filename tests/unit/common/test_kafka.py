import threading
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaTimeoutError
from kafka.partitioner import DefaultPartitioner
from kafka.record.memory_records import MemoryRecords
from kafka.structs import TopicPartition

from services.common.kafka import HOUR_MS, RecordProducer, Topic, key_hash


@given(st.binary(max_size=80), st.integers(1, 40))
def test_keys_go_to_the_partition_that_other_kafka_clients_choose(key: bytes, n: int) -> None:
    cluster = SimpleNamespace(
        topics=lambda: {"t"},
        partitions_for_topic=lambda _: set(range(n)),
        available_partitions_for_topic=lambda _: set(range(n)),
    )

    assert key_hash(key) % n == DefaultPartitioner().partition("t", key, key, b"", b"", cluster)


def test_segments_are_short_enough_for_the_retention_to_mean_something() -> None:
    options = Topic("t", 24 * HOUR_MS).options()

    assert options["configs"]["retention.ms"] == 24 * HOUR_MS
    assert options["configs"]["segment.ms"] <= HOUR_MS


class Accumulator:
    """Where the producer keeps the batches that wait to be sent."""

    def __init__(self) -> None:
        self._batches: defaultdict[TopicPartition, list[Any]] = defaultdict(list)
        self._incomplete: set[Any] = set()

    def _tp_lock(self, _: TopicPartition) -> threading.Lock:
        return threading.Lock()


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 100_000)), max_size=40))
def test_a_group_becomes_one_batch_a_partition_and_each_record_is_answered_once(
    drawn: list[tuple[str, int]],
) -> None:
    accumulator, woken = Accumulator(), []
    sender = SimpleNamespace(wakeup=lambda: woken.append(1))
    producer: Any = SimpleNamespace(_accumulator=accumulator, _sender=sender)
    records = [("t", key.encode(), bytes(size)) for key, size in drawn]
    answers: list[int] = []

    RecordProducer(producer, {"t": 3}).send(
        records, lambda positions, kept: answers.extend(positions)
    )

    for partition, batches in accumulator._batches.items():
        assert len(batches) <= 1 + sum(b.records.size_in_bytes() for b in batches) // 150_000
        for batch in batches:
            batch.records.close()
            for record in next(MemoryRecords(batch.records.buffer())):
                assert key_hash(record.key) % 3 == partition.partition
            batch.complete(0, -1)
    assert sorted(answers) == list(range(len(records)))
    assert woken == [1]


@pytest.mark.parametrize("is_stored", [True, False])
def test_the_fate_of_a_batch_is_that_of_its_records(is_stored: bool) -> None:
    accumulator = Accumulator()
    sender = SimpleNamespace(wakeup=list)
    producer: Any = SimpleNamespace(_accumulator=accumulator, _sender=sender)
    answers: list[tuple[list[int], bool]] = []
    group = [("t", b"k", b"1"), ("t", b"k", b"2")]
    RecordProducer(producer, {"t": 1}).send(
        group, lambda positions, kept: answers.append((list(positions), kept))
    )
    [batch] = accumulator._incomplete

    if is_stored:
        batch.complete(7, -1)
    else:
        batch.abort(KafkaTimeoutError("expired"))

    assert answers == [([0, 1], is_stored)]
