from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from kafka import TopicPartition

from services.common import consumer as module
from services.common.consumer import Follower, Records
from services.common.positions import Claim

ZERO = TopicPartition("topic", 0)


@dataclass
class FakeConsumer:
    """Partition 0 of a topic with the offsets `begin`..`end`-1, less those in `holes`."""

    begin: int = 0
    end: int = 10
    holes: frozenset[int] = frozenset()
    assigned: set[TopicPartition] = field(default_factory=lambda: {ZERO})
    paused: set[TopicPartition] = field(default_factory=set)
    position: int = 0

    def subscribe(self, topics: Sequence[str], listener: object) -> None:
        pass

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def pause(self, *some: TopicPartition) -> None:
        self.paused.update(some)

    def resume(self, *some: TopicPartition) -> None:
        self.paused.difference_update(some)

    def beginning_offsets(self, some: Any, timeout_ms: int) -> dict[TopicPartition, int]:
        return dict.fromkeys(some, self.begin)

    def end_offsets(self, some: Any, timeout_ms: int) -> dict[TopicPartition, int]:
        return dict.fromkeys(some, self.end)

    def highwater(self, _: TopicPartition) -> int:
        return self.end

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.position = offset

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        there = range(max(self.position, self.begin), min(self.position + 3, self.end))
        offsets = [offset for offset in there if offset not in self.holes]
        if not offsets or ZERO in self.paused or ZERO not in self.assigned:
            return {}
        self.position = offsets[-1] + 1
        return {ZERO: [SimpleNamespace(offset=n, value=b"%d" % n) for n in offsets]}


@dataclass
class FakePositions:
    """Where partition 0 goes on, as the store has it."""

    next: int = 0
    epoch: int = 0
    moved: list[int] = field(default_factory=list)

    def claim(self, partition: int) -> Claim:
        self.epoch += 1
        return Claim(self.epoch, self.next)

    def ends(self, partitions: Sequence[int]) -> list[int]:
        return [self.next for _ in partitions]

    def move(self, partition: int, epoch: int, position: int) -> None:
        assert epoch == self.epoch
        self.next = position
        self.moved.append(position)


def follower(consumer: FakeConsumer, positions: FakePositions, **more: Any) -> Follower:
    return Follower(consumer, "topic", positions, **more)  # type: ignore[arg-type]


def first(following: Follower, polls: int = 5) -> Records:
    """The first records that come."""
    found = (some for _ in range(polls) for some in following.poll(0))
    return next(found)


def test_a_partition_goes_on_where_its_results_end() -> None:
    assert first(follower(FakeConsumer(), FakePositions(4))) == Records(
        0, 1, 4, 7, [b"4", b"5", b"6"]
    )


def test_what_was_read_before_it_was_claimed_is_not_given() -> None:
    assert follower(FakeConsumer(), FakePositions(4)).poll(0) == []


def test_the_next_records_follow_without_another_claim() -> None:
    positions = FakePositions(4)
    following = follower(FakeConsumer(), positions)
    positions.next = first(following).following

    assert first(following) == Records(0, 1, 7, 10, [b"7", b"8", b"9"])


def test_what_is_rewound_is_claimed_again_and_read_again() -> None:
    following = follower(FakeConsumer(), FakePositions(4))
    first(following)
    following.rewind()

    again = first(following)
    assert (again.epoch, again.first) == (2, 4)


def test_a_partition_that_was_away_is_claimed_again() -> None:
    following = follower(FakeConsumer(), FakePositions(4))
    first(following)
    following.on_partitions_revoked([ZERO])
    following.on_partitions_assigned([ZERO])

    assert first(following).epoch == 2


def test_results_that_were_lost_are_noticed_without_new_records(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "COMPARE_EVERY_S", 0)
    positions = FakePositions(7)
    following = follower(FakeConsumer(), positions)
    positions.next = first(following).following
    assert following.poll(0) == []
    positions.next = 2

    assert first(following).first == 2


def test_records_that_kafka_dropped_are_skipped_and_told() -> None:
    told: list[tuple[int, int]] = []
    positions = FakePositions(2)
    following = follower(
        FakeConsumer(begin=5), positions, on_missing=lambda *some: told.append(some)
    )

    assert first(following).first == 5
    assert (told, positions.moved) == ([(0, 3)], [5])


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    positions = FakePositions(500)

    assert first(follower(FakeConsumer(), positions)).first == 0
    assert positions.moved == [0]


def test_an_offset_without_a_record_is_believed_after_a_second_claim() -> None:
    found = first(follower(FakeConsumer(holes=frozenset({4})), FakePositions(4)))

    assert found == Records(0, 2, 4, 7, [b"5", b"6"])


def test_it_tells_how_far_behind_it_is() -> None:
    following = follower(FakeConsumer(), FakePositions(4))
    first(following)

    assert following.behind() == {0: 3}


def test_a_partition_that_is_not_ours_is_not_claimed() -> None:
    positions = FakePositions()
    nobody: Iterable[Records] = follower(FakeConsumer(assigned=set()), positions).poll(0)

    assert list(nobody) == []
    assert positions.epoch == 0
