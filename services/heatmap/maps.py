"""What a tally says of a page: counts by cell, rows, spots inside elements, and who is proven.

No I/O. Between the tallies that the store reads and what the API answers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.heatmap.grid import CELL_BITS, CELL_SHIFT, CELLS, LAYER_SHIFT, ROWS, WHO, Layer, Tally

POINTS = {"move": Layer.MOVE, "click": Layer.CLICK, "rage": Layer.RAGE, "dead": Layer.DEAD}
SPOTS_MAX = 4_000
_INSIDE_BITS = 10
_PER_ROW = 10_000 // ROWS

Counts = list[tuple[int, int]]
Spots = list[tuple[int, int, int, int, int, int]]
Ints = NDArray[np.int64]
Part = dict[str, Any]


class Seen:
    """A page's visits as one tally, with what must stay hidden left out.

    k: 0 shows everything. Otherwise a cell of points is shown when at least k different visitors
    are proven in it, rows and spots when they are proven on the page.
    """

    def __init__(self, tally: Tally, k: int = 0) -> None:
        key = tally["key"]
        self._key = key
        self._value: Ints = tally["value"]
        self._layer = (key >> np.uint64(LAYER_SHIFT)).astype(np.int64)
        self._cell = (key >> np.uint64(CELL_SHIFT)).astype(np.int64) & (1 << CELL_BITS) - 1
        self.visitors_at_least = int(self._proven(Layer.VISIT)[0])
        self._shows_page = self.visitors_at_least >= k
        self._shows = {layer: self._proven(layer) >= k for layer in POINTS.values()} if k else {}

    @property
    def visits(self) -> int:
        return int(self._value[self._layer == Layer.VISIT].sum())

    @property
    def hidden_cells(self) -> int:
        """Cells of points that are left out, those of each layer counted apart."""
        return sum(
            int(np.count_nonzero(self._sums(layer)[~shows])) for layer, shows in self._shows.items()
        )

    def cells(self, name: str) -> Ints:
        """A layer of points: its count in each cell."""
        layer = POINTS[name]
        sums = self._sums(layer)
        return np.where(self._shows[layer], sums, 0) if self._shows else sums

    def counts(self, name: str) -> Counts:
        """A layer of points: the cells that hold something, and how much."""
        return _nonzero(self.cells(name))

    def edges(self, layer: int) -> Counts:
        """A layer of rows as the steps at its edges, 0 to ROWS; these add up over tallies."""
        return _nonzero(self._steps(layer)) if self._shows_page else []

    def rows(self, layer: int) -> list[int]:
        """A layer of rows: one number for each of ROWS."""
        steps = self._steps(layer)[:ROWS]
        sums: list[int] = np.cumsum(steps).tolist()
        return sums if self._shows_page else [0] * ROWS

    def spots(self) -> tuple[Spots, int]:
        """Clicks inside their elements, the most frequent first, and the counts left out.

        When there are more than SPOTS_MAX places, those inside an element are first taken
        together, in squares of 2, 4, 8 ... of 1,024 steps, each shown at its middle.
        """
        chosen = (self._layer >= Layer.CLICK) & (self._layer <= Layer.DEAD) & self._are_shown()
        key, value = self._key[chosen], self._value[chosen]
        for bits in range(_INSIDE_BITS + 1):
            places, sums = _summed(_coarse(key, bits), value)
            if len(places) <= SPOTS_MAX:
                break
        order = np.argsort(-sums, kind="stable")
        kept = order[:SPOTS_MAX]
        return _spots(places[kept], sums[kept]), int(sums[order[SPOTS_MAX:]].sum())

    def part(self) -> Part:
        """What is not nothing, in sums that a client can add to those that it has."""
        spots, _ = self.spots()
        found = {
            "visits": self.visits,
            "layers": {name: counts for name in POINTS if (counts := self.counts(name))},
            "view": self.edges(Layer.VIEW),
            "reach": self.edges(Layer.REACH),
            "spots": spots,
        }
        return {name: value for name, value in found.items() if value}

    def hidden_as_in(self, whole: "Seen") -> "Seen":
        """Itself, as a part of `whole` that shows what the whole shows."""
        self._shows, self._shows_page = whole._shows, whole._shows_page  # noqa: SLF001 - same class
        return self

    def _proven(self, layer: int) -> Ints:
        """How many different visitors are proven in each cell of a layer, up to 64.

        A visitor sets one of 64 bits. Two may share one, so there were at least as many as bits.
        """
        chosen = self._layer == layer | WHO
        bits = np.zeros(CELLS, np.uint64)
        np.bitwise_or.at(bits, self._cell[chosen], self._value[chosen].astype(np.uint64))
        return np.bitwise_count(bits).astype(np.int64)

    def _sums(self, layer: int) -> Ints:
        chosen = self._layer == layer
        sums = np.bincount(self._cell[chosen], self._value[chosen], minlength=CELLS)
        return sums[:CELLS].astype(np.int64)

    def _steps(self, layer: int) -> Ints:
        chosen = self._layer == layer
        steps = np.bincount(self._cell[chosen], self._value[chosen], minlength=ROWS + 1)
        return steps[: ROWS + 1].astype(np.int64)

    def _are_shown(self) -> NDArray[np.bool_]:
        shown = np.full(len(self._key), self._shows_page)
        for layer, shows in self._shows.items():
            of_layer = self._layer == layer
            shown[of_layer] &= shows[self._cell[of_layer]]
        return shown


def parts(tallies: Mapping[int, Tally], k: int) -> dict[int, Part]:
    """The part of each bucket; with k, what the buckets together have proven is shown."""
    seen = {bucket: Seen(tally) for bucket, tally in sorted(tallies.items())}
    if k and tallies:
        whole = Seen(np.concatenate(list(tallies.values())), k)
        seen = {bucket: one.hidden_as_in(whole) for bucket, one in seen.items()}
    return {bucket: part for bucket, one in seen.items() if (part := one.part())}


def bands(seen: Sequence[tuple[int, int]]) -> list[int]:
    """On how many screens each row is, of the bands on them in 1/10,000 of the document."""
    tops, bottoms = np.array(seen, np.int64).reshape(-1, 2).T
    first = np.minimum(tops // _PER_ROW, ROWS - 1)
    end = np.maximum(-(-bottoms // _PER_ROW), first + 1)
    steps = np.bincount(first, minlength=ROWS + 1) - np.bincount(end, minlength=ROWS + 1)
    found: list[int] = np.cumsum(steps)[:ROWS].tolist()
    return found


def _nonzero(sums: Ints) -> Counts:
    (places,) = np.nonzero(sums)
    return list(zip(places.tolist(), sums[places].tolist(), strict=True))


def _summed(key: NDArray[np.uint64], value: Ints) -> tuple[NDArray[np.uint64], Ints]:
    keys, which = np.unique(key, return_inverse=True)
    return keys, np.bincount(which, value, minlength=len(keys)).astype(np.int64)


def _coarse(key: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """Keys whose p and q are the middles of squares of 2^bits steps."""
    steps = (1 << bits) - 1
    inside = np.uint64(steps << _INSIDE_BITS | steps)
    middle = np.uint64((1 << bits >> 1) * (1 << _INSIDE_BITS | 1))
    return key & ~inside | middle


def _spots(key: NDArray[np.uint64], sums: Ints) -> Spots:
    fields = ((60, 4), (20, 26), (10, 10), (0, 10), (46, 14))
    taken = [(key >> np.uint64(at)) & np.uint64((1 << bits) - 1) for at, bits in fields]
    columns = (column.tolist() for column in (*taken, sums))
    return list(zip(*columns, strict=True))
