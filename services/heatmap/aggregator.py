"""From records to grids: decode, fold, add to Valkey, and start over wherever that was refused."""

import base64
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from kafka.errors import KafkaTimeoutError
from redis.exceptions import RedisError

from services.common.consumer import Follower, Records
from services.common.log import get_logger
from services.heatmap.calls import packed
from services.heatmap.events import Batch, decode
from services.heatmap.folding import Folded, FoldError, fold
from services.heatmap.worker_metrics import WorkerMetrics
from services.heatmap.writing import Applied, Duplicates, Fenced, Gap, Grids, Replayed

POLL_MS = 200
MERGES_AT_ONCE = 4
HINTS_MAX = 10_000
LETTER_BYTES = 65_536

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, FoldError)


class DeadLetters(Protocol):
    """Where records go that can't be counted."""

    def send(self, letter: bytes) -> None:
        """Return when the letter is stored; KafkaTimeoutError when it can't be."""
        ...


@dataclass
class Merges:
    """Long tallies that wait to be merged: by key, with whom to ask for the partition.

    known: the length of each after its last merge; a hint that may be lost or wrong.
    """

    waiting: dict[str, tuple[int, int]] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)

    def note(self, long: dict[str, int], partition: int, epoch: int) -> None:
        """Have those merged that are twice as long as after their last merge."""
        for name, length in long.items():
            if length >= 2 * self.known.get(name, 0):
                self.waiting[name] = partition, epoch

    def done(self, name: str, length: int) -> None:
        if len(self.known) >= HINTS_MAX:
            self.known.clear()
        self.known[name] = length


class Aggregator:
    """Moves records of one topic into the grids.

    trouble: why nothing is moved just now, as a sentence; None when all is well.
    """

    def __init__(
        self,
        grids: Grids,
        letters: DeadLetters,
        metrics: WorkerMetrics,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.trouble: str | None = "The worker has not reached Kafka yet."
        self._grids = grids
        self._letters = letters
        self._metrics = metrics
        self._now_ms = now_ms
        self._merges = Merges()

    def step(self, follower: Follower) -> bool:
        """Add what has come; False when a part is away and it is time to wait a little.

        Nothing is lost by that: what was not added is read again.
        """
        try:
            for records in follower.poll(POLL_MS):
                self._take(follower, records)
            self._merge_some()
        except RedisError as error:
            self._start_over(follower, f"Valkey can't take what comes: {error}")
            return False
        except KafkaTimeoutError as error:
            self._start_over(follower, f"Kafka does not answer: {error}")
            return False
        self.say(None)
        for partition, behind in follower.behind().items():
            self._metrics.behind.labels(str(partition)).set(behind)
        return True

    def say(self, trouble: str | None) -> None:
        """Note that something is wrong or well again, and log it when that is new."""
        if trouble and not self.trouble:
            get_logger().warning("the grids wait", reason=trouble)
        if self.trouble and not trouble:
            get_logger().info("the grids go on")
        self.trouble = trouble

    def _start_over(self, follower: Follower, trouble: str) -> None:
        self._metrics.retries.inc()
        self.say(trouble)
        follower.rewind()

    def _take(self, follower: Follower, records: Records) -> None:
        """Add the records to the grids, or have their partition claimed again."""
        batches, folded = self._read(records)
        while True:
            call = packed(self._grids.keys, batches, folded, self._now_ms())
            outcome = self._grids.apply(
                records.partition, records.epoch, records.first, records.following, call
            )
            match outcome:
                case Applied(long):
                    self._count(batches, folded)
                    self._merges.note(long, records.partition, records.epoch)
                case Duplicates(indices):
                    self._metrics.duplicates.inc(len(indices))
                    batches = [b for i, b in enumerate(batches) if i not in indices]
                    folded = fold(batches)
                    continue
                case Replayed():
                    self._metrics.replays.inc()
                case Gap(position):
                    self._metrics.gaps.inc()
                    self._refused(follower, records, f"it goes on at {position}")
                case Fenced():
                    self._metrics.fenced.inc()
                    self._refused(follower, records, "another worker has taken it over")
            return

    def _refused(self, follower: Follower, records: Records, reason: str) -> None:
        get_logger().warning(
            "a partition is claimed again",
            partition=records.partition,
            first=records.first,
            reason=reason,
        )
        follower.rewind([records.partition])

    def _read(self, records: Records) -> tuple[list[Batch], Folded]:
        """The batches of the records, and their fold; those that are none go to the letters."""
        try:
            batches = [decode(value) for value in records.values]
            return batches, fold(batches)
        except _UNREADABLE:
            batches = [
                batch
                for i, value in enumerate(records.values)
                if (batch := self._readable(records.partition, records.first + i, value))
            ]
            return batches, fold(batches)

    def _readable(self, partition: int, offset: int, value: bytes) -> Batch | None:
        """The batch of one record; None when it is none and has become a letter."""
        try:
            batch = decode(value)
            fold([batch])
        except _UNREADABLE as error:
            self._letters.send(letter(partition, offset, value, str(error)))
            self._metrics.poison.inc()
            get_logger().error(
                "a record can't be counted", partition=partition, offset=offset, reason=str(error)
            )
            return None
        return batch

    def _count(self, batches: Sequence[Batch], folded: Folded) -> None:
        self._metrics.calls.inc()
        self._metrics.batches.inc(len(batches))
        self._metrics.events.inc(folded.events)
        self._metrics.late.inc(sum(folded.late.values()))
        newest_ms = max((batch.received_ms for batch in batches), default=0)
        self._metrics.applied(newest_ms / 1000)

    def _merge_some(self) -> None:
        for name in [*self._merges.waiting][:MERGES_AT_ONCE]:
            partition, epoch = self._merges.waiting.pop(name)
            length = self._grids.compact(partition, epoch, name)
            if length is not None:
                self._metrics.merges.inc()
                self._merges.done(name, length)


def letter(partition: int, offset: int, value: bytes, reason: str) -> bytes:
    """What is kept of a record that can't be counted, as JSON."""
    content = {"partition": partition, "offset": offset}
    rejected = [{"event": "record", "reason": reason, "content": content}]
    body = base64.b64encode(value[:LETTER_BYTES]).decode()
    return json.dumps({"rejected": rejected, "body_base64": body}).encode()
