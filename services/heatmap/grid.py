"""What a page's heat is made of: layers over a grid of cells, tallies of them, and their sum.

The domain of the heat map, without I/O: `folding` turns batches into tallies, the store keeps them
by variant, level and bucket, the API reads and adds them up.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 64, 200
CELLS = COLUMNS * ROWS
LEVEL_MS = {"5s": 5_000, "1m": 60_000, "1h": 3_600_000, "1d": 86_400_000}
LEVELS = tuple(LEVEL_MS)

SUB_BITS = 20
ELEMENT_BITS = 26
CELL_BITS = 14
CELL_SHIFT = ELEMENT_BITS + SUB_BITS
LAYER_SHIFT = CELL_BITS + CELL_SHIFT
WHO = 8
"""Layer | WHO has 64-bit masks of visitors instead of counts."""
SPOTS_MAX = 100_000

ENTRY = np.dtype([("key", "<u8"), ("value", "<i8")])
Tally = NDArray[np.void]
"""Entries of dtype ENTRY. The value of a key is the sum of its entries, of a mask their union."""

_FIRST_MASK = np.uint64(WHO << LAYER_SHIFT)
_ELEMENTS = np.uint64((1 << CELL_SHIFT) - 1)


class Layer(IntEnum):
    """What is counted. Clicks have the number of their kind on the wire.

    VIEW and REACH are differences over the edges 0..ROWS of rows: milliseconds on screen, and page
    views that got there. VISIT counts page views in cell 0.
    """

    MOVE = 0
    CLICK = 1
    RAGE = 2
    DEAD = 3
    VIEW = 4
    REACH = 5
    VISIT = 6


class Variant(NamedTuple):
    """Visits that are counted apart; written with the page last, as only it may hold a `|`."""

    site: str
    view_class: str
    audience: str
    version: str
    page: str

    def __str__(self) -> str:
        return "|".join(self)


def key(layer: int, cell: int, element: int = 0, sub: int = 0) -> int:
    """The 64 bits that name what is counted: layer 4, cell 14, element 26, sub 20.

    cell: row * COLUMNS + column, for VIEW and REACH the edge 0..ROWS of a row.
    sub: p << 10 | q, the place inside the element's box in 1/1024 of its width and height.
    """
    return layer << LAYER_SHIFT | cell << CELL_SHIFT | element << SUB_BITS | sub


def parts(number: int) -> tuple[int, int, int, int]:
    """Layer, cell, element and sub of a key."""
    return (
        number >> LAYER_SHIFT,
        number >> CELL_SHIFT & (1 << CELL_BITS) - 1,
        number >> SUB_BITS & (1 << ELEMENT_BITS) - 1,
        number & (1 << SUB_BITS) - 1,
    )


def tally(packed: bytes) -> Tally:
    """The entries that the store has as bytes, 16 each; ValueError when they are cut off."""
    return np.frombuffer(packed, ENTRY)


def merged(tallies: Iterable[Tally]) -> Tally:
    """One entry for each key, sorted by key: sums of counts, unions of masks."""
    entries = np.concatenate([np.empty(0, ENTRY), *tallies])
    entries = entries[np.argsort(entries["key"], kind="stable")]
    first_mask = int(np.searchsorted(entries["key"], _FIRST_MASK))
    counts = _reduced(entries[:first_mask], np.add)
    masks = _reduced(entries[first_mask:], np.bitwise_or)
    return np.concatenate([counts[counts["value"] != 0], masks])


def bounded(entries: Tally, spots_max: int = SPOTS_MAX) -> Tally:
    """A merged tally with at most `spots_max` places inside elements: it can't grow for ever.

    Beyond that, places are taken together in squares of 2, 4, 8 ... 1/1024 of the element's box and
    finally by cell: what a cell counts stays exact.
    """
    at_spots = (entries["key"] & _ELEMENTS) != 0
    for shift in range(1, SUB_BITS // 2 + 1):
        if np.count_nonzero(at_spots) <= spots_max:
            return entries
        coarse = (1 << shift) - 1
        entries = _without(entries, coarse << SUB_BITS // 2 | coarse)
        at_spots = (entries["key"] & _ELEMENTS) != 0
    return entries if np.count_nonzero(at_spots) <= spots_max else _without(entries, int(_ELEMENTS))


def _without(entries: Tally, bits: int) -> Tally:
    kept = entries.copy()
    kept["key"] &= ~np.uint64(bits)
    return merged([kept])


def _reduced(entries: Tally, combine: np.ufunc) -> Tally:
    """Sorted entries with those of the same key combined."""
    starts = run_starts(entries["key"])
    reduced = np.empty(len(starts), ENTRY)
    reduced["key"] = entries["key"][starts]
    if len(starts):
        reduced["value"] = combine.reduceat(entries["value"], starts)
    return reduced


def run_starts(ordered: NDArray[np.generic]) -> NDArray[np.intp]:
    """Where a sorted array begins anew: the first index of each run of equal values."""
    if len(ordered) == 0:
        return np.empty(0, np.intp)
    return np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
