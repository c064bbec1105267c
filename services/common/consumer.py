"""Records of a topic, shared out in a group, whose positions are kept outside of Kafka.

Kafka says which partitions are this process's, `Positions` says where each goes on. Whatever goes
wrong - a rebalance, a store that lost its last second, a process that was taken for dead - has one
way back: claim the partition again and go on where its results end.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition

from services.common.log import get_logger
from services.common.positions import Claim, Positions

AT_ONCE = 500
SESSION_MS = 10_000
TIMEOUT_MS = 5_000
RETRY_MS = 100
COMPARE_EVERY_S = 1.0


@dataclass(frozen=True)
class Records:
    """Values of one partition in order: those of the offsets first..following-1 that there are."""

    partition: int
    epoch: int
    first: int
    following: int
    values: list[bytes]


def group_consumer(bootstrap: str, group: str) -> KafkaConsumer:
    """A member of a group that commits nothing; KafkaError when Kafka does not answer."""
    return KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_MS,
        bootstrap_timeout_ms=TIMEOUT_MS,
        max_poll_records=AT_ONCE,
        retry_backoff_ms=RETRY_MS,
        reconnect_backoff_max_ms=1000,
        metrics_enabled=False,
    )


class Follower(ConsumerRebalanceListener):
    """Reads `topic` as a member of a group, each partition from where `positions` says.

    on_missing: told of a partition and how many of its records Kafka does not have any more.
    """

    def __init__(
        self,
        consumer: KafkaConsumer,
        topic: str,
        positions: Positions,
        on_missing: Callable[[int, int], None] = lambda _, __: None,
    ) -> None:
        self._consumer = consumer
        self._positions = positions
        self._on_missing = on_missing
        self._claims: dict[TopicPartition, Claim] = {}
        self._doubted: dict[TopicPartition, int] = {}
        self._compare_s = 0.0
        consumer.subscribe([topic], listener=self)

    def poll(self, timeout_ms: int) -> list[Records]:
        """What has come, at most AT_ONCE records; waits up to timeout_ms for the first.

        Raises what `positions` raises, and KafkaError; asking again is safe.
        """
        if time.monotonic() >= self._compare_s:
            self._compare()
        found = self._consumer.poll(timeout_ms=timeout_ms)
        # What came for others was read before it was known where they go on.
        ours = [(partition, some) for partition, some in found.items() if partition in self._claims]
        self._claim_new()
        records = (self._records(partition, some) for partition, some in ours)
        return [some for some in records if some is not None]

    def rewind(self, partitions: Iterable[int] | None = None) -> None:
        """Claim partitions (None: all) again before anything more of them is given."""
        chosen = None if partitions is None else set(partitions)
        for partition in [*self._claims]:
            if chosen is None or partition.partition in chosen:
                del self._claims[partition]

    def behind(self) -> dict[int, int]:
        """For each partition how many records were there at the last poll and not given yet."""
        ends = {partition: self._consumer.highwater(partition) for partition in self._claims}
        return {
            partition.partition: max(0, (ends[partition] or 0) - claim.position)
            for partition, claim in self._claims.items()
        }

    def close(self) -> None:
        """Leave the group, so that others go on at once."""
        self._consumer.close(autocommit=False, timeout_ms=TIMEOUT_MS)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Forget what was claimed before: somebody else may have had it in between."""
        self._forget(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Somebody else goes on with these."""
        self._forget(revoked)

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._claims.pop(partition, None)

    def _compare(self) -> None:
        """Go back where results were lost; a partition without new records would never find out."""
        claims = {partition.partition: claim.position for partition, claim in self._claims.items()}
        ends = self._positions.ends([*claims])
        self.rewind(n for (n, known), end in zip(claims.items(), ends, strict=True) if known != end)
        self._compare_s = time.monotonic() + COMPARE_EVERY_S

    def _claim_new(self) -> None:
        new = [p for p in self._consumer.assignment() if p not in self._claims]
        if not new:
            return
        # Until it is known where they go on, there is no use in reading them.
        self._consumer.pause(*new)
        begins = self._consumer.beginning_offsets(new, timeout_ms=TIMEOUT_MS)
        ends = self._consumer.end_offsets(new, timeout_ms=TIMEOUT_MS)
        for partition in new:
            claim = self._claim(partition.partition, begins[partition], ends[partition])
            self._consumer.seek(partition, claim.position)
            self._consumer.resume(partition)
            self._claims[partition] = claim

    def _claim(self, number: int, begin: int, end: int) -> Claim:
        """Take a partition over; where Kafka does not have its next record, from the beginning."""
        claim = self._positions.claim(number)
        if begin <= claim.position <= end:
            return claim
        missing = max(0, begin - claim.position)
        get_logger().warning(
            "a partition goes on elsewhere: its next record is not in Kafka",
            partition=number,
            next=claim.position,
            begin=begin,
            end=end,
        )
        self._positions.move(number, claim.epoch, begin)
        self._on_missing(number, missing)
        return Claim(claim.epoch, begin)

    def _records(self, partition: TopicPartition, records: list[Any]) -> Records | None:
        claim = self._claims[partition]
        if not self._follows(partition, claim.position, records[0].offset):
            self.rewind([partition.partition])
            return None
        following = records[-1].offset + 1
        self._claims[partition] = Claim(claim.epoch, following)
        values = [record.value or b"" for record in records]
        return Records(partition.partition, claim.epoch, claim.position, following, values)

    def _follows(self, partition: TopicPartition, position: int, offset: int) -> bool:
        """Whether a record goes on at a position: there, or behind offsets that have no record.

        That there are none is believed when they are still missing after another claim.
        """
        if offset > position and self._doubted.pop(partition, None) != position:
            self._doubted[partition] = position
            return False
        return offset >= position
