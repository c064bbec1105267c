"""Entries of a fold into packed tallies for each level of time, finest first.

Sorting is what folding costs, so each entry is one number while it is sorted: its variant, its
bucket and a code for its key, highest bits first. A coarser level is reduced out of the finer one,
and where it has the same buckets - a poll mostly lies in one hour - it has the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.heatmap.grid import (
    CELL_BITS,
    CELL_SHIFT,
    ENTRY,
    LEVEL_MS,
    LEVELS,
    WHO,
    Tally,
    run_starts,
)

FINEST_MS = LEVEL_MS[LEVELS[0]]
FIRST_RANK = 1 << 4 + CELL_BITS
"""Codes below it are layer and cell; from it on, ranks of the keys of places inside elements."""

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

_CODE_BITS = 24
_CODE_MASK = (1 << _CODE_BITS) - 1
_FIRST_MASK = WHO << CELL_BITS


@dataclass(frozen=True)
class Level:
    """The tallies of one level one after the other: parallel arrays of what each is of.

    variant: its number. ends: the entry behind the last one of each tally.
    """

    variant: Ints
    bucket: Ints
    ends: Ints
    packed: bytes

    def tallies(self) -> Iterator[tuple[int, int, Tally]]:
        """Variant, bucket and entries of each."""
        parts = np.split(np.frombuffer(self.packed, ENTRY), self.ends)[:-1]
        yield from zip(self.variant.tolist(), self.bucket.tolist(), parts, strict=True)

    def coarser(self, ratio: int) -> "Level":
        """The same tallies in wider buckets that hold one of these buckets each."""
        return Level(self.variant, self.bucket // ratio, self.ends, self.packed)

    def stays_apart(self, ratio: int) -> bool:
        """Whether buckets `ratio` times as wide hold one of these buckets each."""
        buckets = set(self.bucket.tolist())
        return len({bucket // ratio for bucket in buckets}) == len(buckets)


class Entries:
    """Entries as they are found: variant, 5 s bucket, code and value, in parallel pieces."""

    def __init__(self) -> None:
        none = np.empty(0, np.int64)
        self._pieces: list[tuple[Ints, Ints, Ints, Ints]] = [(none, none, none, none)]

    def add(self, variant: Ints, bucket: Ints, code: Ints, value: Ints) -> None:
        self._pieces.append((variant, bucket, code, value))

    def by_level(self, places: Keys) -> dict[str, Level]:
        """The tallies of each level. places: the keys of places inside elements, by rank."""
        variant, bucket, code, value = map(np.concatenate, zip(*self._pieces, strict=True))
        first = int(bucket.min(initial=0 if len(bucket) == 0 else bucket[0]))
        bits = int((bucket - first).max(initial=0)).bit_length()
        numbers = _Numbers(FINEST_MS, first, bits)
        entries = _Sorted.of(numbers, numbers.pack(variant, bucket, code), value)
        levels = {LEVELS[0]: entries.level(places)}
        for finer, name in pairwise(LEVELS):
            ratio = LEVEL_MS[name] // LEVEL_MS[finer]
            if levels[finer].stays_apart(ratio):
                levels[name] = levels[finer].coarser(ratio)
            else:
                entries = entries.coarser(LEVEL_MS[name])
                levels[name] = entries.level(places)
        return levels


@dataclass(frozen=True)
class _Numbers:
    """How entries are numbers: variant, distance to the first bucket in `bits` bits, code."""

    width_ms: int
    first: int
    bits: int

    def pack(self, variant: Ints, bucket: Ints, code: Ints) -> Ints:
        return (variant << self.bits | bucket - self.first) << _CODE_BITS | code

    def variant(self, packed: Ints) -> Ints:
        return packed >> self.bits + _CODE_BITS

    def bucket(self, packed: Ints) -> Ints:
        return (packed >> _CODE_BITS & (1 << self.bits) - 1) + self.first


@dataclass(frozen=True)
class _Sorted:
    """Entries of one level: numbers in order, each once, none of them 0."""

    numbers: _Numbers
    packed: Ints
    value: Ints

    @classmethod
    def of(cls, numbers: _Numbers, packed: Ints, value: Ints) -> "_Sorted":
        """Entries in any order: those of a count are added up, those of a mask united."""
        packed, order = _in_order(packed)
        starts = run_starts(packed)
        if len(starts) == 0:
            return cls(numbers, packed, value)
        packed, value = packed[starts], value[order]
        code = packed & _CODE_MASK
        is_mask = (code >= _FIRST_MASK) & (code < FIRST_RANK)
        united = np.bitwise_or.reduceat(value, starts)
        value = np.where(is_mask, united, np.add.reduceat(value, starts))
        kept = value != 0
        return cls(numbers, packed[kept], value[kept])

    def coarser(self, width_ms: int) -> "_Sorted":
        """The same with wider buckets."""
        ratio = width_ms // self.numbers.width_ms
        wide = _Numbers(width_ms, self.numbers.first // ratio, self.numbers.bits)
        bucket = self.numbers.bucket(self.packed) // ratio
        variant, code = self.numbers.variant(self.packed), self.packed & _CODE_MASK
        return _Sorted.of(wide, wide.pack(variant, bucket, code), self.value)

    def level(self, places: Keys) -> Level:
        """As the store has them. places: the keys that codes from FIRST_RANK on stand for."""
        starts = run_starts(self.packed >> _CODE_BITS)
        code = self.packed & _CODE_MASK
        entries = np.empty(len(code), ENTRY)
        entries["key"] = code.astype(np.uint64) << np.uint64(CELL_SHIFT)
        ranked = np.flatnonzero(code >= FIRST_RANK)
        entries["key"][ranked] = places[code[ranked] - FIRST_RANK]
        entries["value"] = self.value
        heads = self.packed[starts]
        ends = np.append(starts[1:], len(code)) if len(starts) else starts
        return Level(
            self.numbers.variant(heads), self.numbers.bucket(heads), ends, entries.tobytes()
        )


def _in_order(packed: Ints) -> tuple[Ints, Ints]:
    """The numbers sorted, and where each was.

    Numbers with their index as the lowest bits sort in half of the time that argsort takes.
    """
    bits = len(packed).bit_length()
    if int(packed.max(initial=0)).bit_length() + bits > 63:
        order = np.argsort(packed)
        return packed[order], order
    ordered = np.sort(packed << bits | np.arange(len(packed)))
    return ordered >> bits, ordered & (1 << bits) - 1
