"""Positions in a topic that are kept outside of Kafka, with what was made of its records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Claim:
    """A partition taken over: what is written under an older epoch is refused from now on.

    position: the first offset whose record is not applied yet.
    """

    epoch: int
    position: int


class Positions(Protocol):
    """Where the results are kept: the one place that knows which records they contain."""

    def claim(self, partition: int) -> Claim:
        """Take a partition over from whoever had it."""
        ...

    def ends(self, partitions: Sequence[int]) -> list[int]:
        """For each partition the first offset whose record is not applied yet, as it is now."""
        ...

    def move(self, partition: int, epoch: int, position: int) -> None:
        """Skip records that Kafka does not have any more."""
        ...
