from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import DefaultPartitioner

from services.common.kafka import HOUR_MS, HeldClient, Topic, key_hash


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


def test_the_sending_thread_is_woken_once_for_a_group() -> None:
    client = HeldClient()
    woken = []
    client._net = SimpleNamespace(wakeup=lambda: woken.append(1), close=client._net.close)
    with client.holding():
        for _ in range(10):
            client.wakeup()
        assert not woken

    assert woken == [1]
    client._net.close()
