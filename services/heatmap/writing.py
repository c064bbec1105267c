"""The worker's side of Valkey: what is written, each change whole or not at all."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from services.common.positions import Claim
from services.heatmap.grid import bounded, merged, tally
from services.heatmap.keys import Keys
from services.heatmap.store import ask, positions

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Applied:
    """It counts now. long: tallies that have become long enough to be merged, by key, in bytes."""

    long: dict[str, int]


@dataclass(frozen=True)
class Replayed:
    """It counted already; nothing happened."""


@dataclass(frozen=True)
class Fenced:
    """Somebody else has taken the partition over; nothing happened."""


@dataclass(frozen=True)
class Gap:
    """Records before these are missing from `position` on; nothing happened."""

    position: int


@dataclass(frozen=True)
class Duplicates:
    """These batches, by their index, were applied before; nothing happened."""

    indices: frozenset[int]


Outcome = Applied | Replayed | Fenced | Gap | Duplicates


class Grids:
    """The grids of all pages and the positions of the partitions that they are made of.

    Every method raises redis.RedisError while Valkey can't do it; asking again is safe.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self.keys = keys
        self._client = client
        # Scripts go by their digest; a server that has lost them gets them again by itself.
        self._apply = client.register_script((HERE / "apply.lua").read_bytes())
        self._compact = client.register_script((HERE / "compact.lua").read_bytes())
        self._move = client.register_script((HERE / "move.lua").read_bytes())

    def claim(self, partition: int) -> Claim:
        """Take a partition over: its next epoch, and where it goes on."""
        name = self.keys.partition(partition)
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hincrby(name, "epoch", 1)
            pipe.hget(name, "next")
            epoch, position = pipe.execute()
        return Claim(epoch, int(position or 0))

    def ends(self, partitions: Sequence[int]) -> list[int]:
        """Where the results of partitions end."""
        found = ask(self._client, positions(self.keys, partitions))
        return [found[partition] for partition in partitions]

    def move(self, partition: int, epoch: int, position: int) -> None:
        """Set the position of a partition, unless somebody else has taken it over."""
        self._move(keys=[self.keys.partition(partition)], args=[epoch, position])

    def apply(
        self, partition: int, epoch: int, first: int, following: int, call: tuple[bytes, bytes]
    ) -> Outcome:
        """Add what `calls.packed` made of the records first..following-1, exactly once.

        ResponseError when the call can't be read, OutOfMemoryError when there is no room for it;
        nothing has changed then.
        """
        word, *rest = self._apply(
            keys=[self.keys.partition(partition)], args=[epoch, first, following, *call]
        )
        match word:
            case b"APPLIED":
                names, lengths = rest[::2], rest[1::2]
                return Applied({n.decode(): v for n, v in zip(names, lengths, strict=True)})
            case b"GAP":
                return Gap(rest[0])
            case b"DUPLICATE":
                return Duplicates(frozenset(rest))
            case b"FENCED":
                return Fenced()
        return Replayed()

    def compact(self, partition: int, epoch: int, name: str) -> int | None:
        """Merge one long tally and give its new length in bytes.

        None when it has grown meanwhile or is gone, or when the partition is somebody else's.
        """
        packed = self._client.get(name)
        if not isinstance(packed, bytes):
            return None
        shorter = bounded(merged([tally(packed)])).tobytes()
        digest = hashlib.sha1(packed, usedforsecurity=False).hexdigest()
        keys = [self.keys.partition(partition), name]
        done = self._compact(keys=keys, args=[epoch, digest, shorter])
        return len(shorter) if done == b"MERGED" else None
