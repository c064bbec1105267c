"""Batches into tallies: all events of a poll at once, in numpy, for every level of time.

No I/O and nothing but the batches decides what comes out, so that folding again, in another order
or in other portions, gives tallies that add up to the same. An event that was received more than
LATE_MS after it happened is counted as late and goes into no tally; a segment of exposure goes by
its start. No time on screen is no exposure: segments of 0 ms count nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from services.heatmap.checks import GROUPS, SPAN
from services.heatmap.events import AUDIENCES, CLASSES, Batch, element_id
from services.heatmap.grid import (
    CELL_BITS,
    CELL_SHIFT,
    COLUMNS,
    ROWS,
    SUB_BITS,
    WHO,
    Layer,
    Variant,
)
from services.heatmap.levels import FINEST_MS, FIRST_RANK, Entries, Ints, Level

LATE_MS = 3_600_000

_variant = attrgetter("site", "view_class", "audience", "version", "page")
_PER_ROW = SPAN // ROWS
_PAGE_WHO = (Layer.VISIT | WHO) << CELL_BITS
_LOWEST, _HIGHEST = (
    {group: np.array([c[i] for c in columns], np.int32) for group, columns in GROUPS.items()}
    for i in (1, 2)
)


class FoldError(ValueError):
    """A batch holds what no collector lets through; the text says what."""


@dataclass(frozen=True)
class Folded:
    """What batches add to the grids: tallies by level, and late events by `site|page`.

    variants: by their number in the levels, as in the names of grids.
    """

    variants: list[str]
    levels: dict[str, Level]
    late: dict[str, int]
    events: int


def fold(batches: Sequence[Batch]) -> Folded:
    """The tallies of these batches, one for each variant, level and bucket that they touch.

    FoldError when a batch can't have come from the collector.
    """
    folding = _Folding(batches)
    folding.add_views()
    folding.add_moves()
    folding.add_clicks()
    folding.add_reaches()
    return folding.folded()


class _Folding:
    """The state of one fold; `of` says of each event or entry which batch it is from."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = batches
        self._names, self._variant = _variants(batches)
        self._origin_ms = _column(batches, "origin_ms").astype(np.int64)
        self._oldest_ms = _column(batches, "received_ms").astype(np.int64) - LATE_MS
        bits = _column(batches, "visitor") & np.uint64(63)
        self._mask = (np.uint64(1) << bits).view(np.int64)
        self._entries = Entries()
        self._places: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._late = np.zeros(len(batches), np.int64)
        self._events = 0

    def add_views(self) -> None:
        """Milliseconds on screen of the rows of each band, split exactly over 5 s buckets."""
        (gap, duration, top, bottom), of = self._rows("view")
        end = self._origin_ms[of] + _running(gap + duration, of)
        taken = self._on_time(of, end - duration) & (duration > 0)
        of, end, duration = of[taken], end[taken], duration[taken]
        first_row = np.minimum(top[taken] // _PER_ROW, ROWS - 1)
        edge = np.maximum(_edge(bottom[taken]), first_row + 1)
        part, bucket, spent_ms = _split(end - duration, end)
        of = of[part]
        self._count(of, bucket, Layer.VIEW, first_row[part], spent_ms)
        self._count(of, bucket, Layer.VIEW, edge[part], -spent_ms)
        self._see_page(of, bucket)

    def add_moves(self) -> None:
        """Samples of the pointer by cell, and whose they are."""
        (gap, x, y), of = self._rows("move")
        time_ms = self._origin_ms[of] + _running(gap, of)
        taken = self._on_time(of, time_ms)
        of, bucket = of[taken], time_ms[taken] // FINEST_MS
        cell = _cell(x[taken], y[taken])
        self._count(of, bucket, Layer.MOVE, cell, np.ones_like(of))
        self._see(of, bucket, (Layer.MOVE | WHO) << CELL_BITS | cell)
        self._see_page(of, bucket)

    def add_clicks(self) -> None:
        """Clicks of each kind by cell, element and place in it, and who clicked in the cell."""
        (offset_ms, kind, x, y, element, p, q, _), of = self._rows("click")
        time_ms = self._origin_ms[of] + offset_ms
        ids = self._element_ids(of, element)
        taken = self._on_time(of, time_ms)
        of, bucket = of[taken], time_ms[taken] // FINEST_MS
        place = (kind << CELL_BITS | _cell(x, y))[taken]
        inside = np.where(element < 0, 0, ids << SUB_BITS | p << SUB_BITS // 2 | q)[taken]
        keys = (place << CELL_SHIFT | inside).astype(np.uint64)
        self._places, rank = np.unique(keys, return_inverse=True)
        self._entries.add(self._variant[of], bucket, FIRST_RANK + rank, np.ones_like(of))
        self._see(of, bucket, WHO << CELL_BITS | place)
        self._see_page(of, bucket)

    def add_reaches(self) -> None:
        """Page views that began, and the rows that they got to for the first time."""
        (offset_ms, before, now), of = self._rows("reach")
        time_ms = self._origin_ms[of] + offset_ms
        taken = self._on_time(of, time_ms)
        of, bucket, before, now = of[taken], time_ms[taken] // FINEST_MS, before[taken], now[taken]
        one = np.ones_like(of)
        began = before < 0
        start = np.where(began, 0, np.maximum(_edge(before), 1))
        self._count(of, bucket, Layer.REACH, start, one)
        self._count(of, bucket, Layer.REACH, np.maximum(_edge(now), 1), -one)
        self._count(of[began], bucket[began], Layer.VISIT, np.zeros_like(of[began]), one[began])
        self._see_page(of, bucket)

    def folded(self) -> Folded:
        late: defaultdict[str, int] = defaultdict(int)
        for i in np.flatnonzero(self._late).tolist():
            late[f"{self._batches[i].site}|{self._batches[i].page}"] += int(self._late[i])
        levels = self._entries.by_level(self._places)
        return Folded(self._names, levels, dict(late), self._events)

    def _rows(self, group: str) -> tuple[Ints, Ints]:
        """The columns of all events of a group, and which batch each event is from."""
        packed = list(map(attrgetter(group), self._batches))
        width = len(GROUPS[group])
        sizes = np.fromiter(map(len, packed), np.int64, len(packed))
        if (sizes % (4 * width)).any():
            raise FoldError(f"Events of {group} are not whole rows of {width} numbers.")
        rows = np.frombuffer(b"".join(packed), "<i4").reshape(-1, width)
        if (rows < _LOWEST[group]).any() or (rows > _HIGHEST[group]).any():
            raise FoldError(f"Events of {group} have numbers that no collector lets through.")
        self._events += len(rows)
        return rows.T.astype(np.int64), np.repeat(np.arange(len(packed)), sizes // (4 * width))

    def _on_time(self, of: Ints, time_ms: Ints) -> NDArray[np.bool_]:
        late = time_ms < self._oldest_ms[of]
        self._late += np.bincount(of[late], minlength=len(self._late))
        return ~late

    def _element_ids(self, of: Ints, element: Ints) -> Ints:
        """The ids of the elements that clicks name by their position in their batch."""
        named = np.array([len(batch.elements) for batch in self._batches], np.int64)
        if (element >= named[of]).any():
            raise FoldError("A click names an element that its batch does not have.")
        ids = [element_id(name) for batch in self._batches for name in batch.elements]
        before = np.cumsum(named) - named
        # One more at the end, for clicks that name none.
        return np.array([*ids, 0], np.int64)[np.where(element < 0, -1, before[of] + element)]

    def _count(self, of: Ints, bucket: Ints, layer: Layer, cell: Ints, value: Ints) -> None:
        self._entries.add(self._variant[of], bucket, layer << CELL_BITS | cell, value)

    def _see(self, of: Ints, bucket: Ints, code: Ints) -> None:
        self._entries.add(self._variant[of], bucket, code, self._mask[of])

    def _see_page(self, of: Ints, bucket: Ints) -> None:
        """Note who was on the page, once for events of a batch that follow in one bucket."""
        differs = np.ones(len(of), bool)
        differs[1:] = (of[1:] != of[:-1]) | (bucket[1:] != bucket[:-1])
        of, bucket = of[differs], bucket[differs]
        self._see(of, bucket, np.full(len(of), _PAGE_WHO))


def _variants(batches: Sequence[Batch]) -> tuple[list[str], Ints]:
    """The variants of batches, and the number of each batch's."""
    numbers: dict[tuple[str, str, int, str, str], int] = {}
    of_batch = [numbers.setdefault(variant, len(numbers)) for variant in map(_variant, batches)]
    for site, view_class, audience, version, _ in numbers:
        if view_class not in CLASSES or audience not in range(len(AUDIENCES)):
            raise FoldError(f"There is no class {view_class!r} or no audience {audience}.")
        if "|" in site + version:
            raise FoldError(f"A site or version has a '|' in it: {site!r}, {version!r}.")
    names = [
        str(Variant(site, view_class, AUDIENCES[audience], version, page))
        for site, view_class, audience, version, page in numbers
    ]
    return names, np.array(of_batch, np.int64)


def _column(batches: Sequence[Batch], name: str) -> NDArray[np.uint64]:
    """A field of all batches."""
    return np.fromiter(map(attrgetter(name), batches), np.uint64, len(batches))


def _running(steps: Ints, of: Ints) -> Ints:
    """The sum of the steps of the same batch up to each one."""
    total = np.cumsum(steps)
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    before = total[starts] - steps[starts]
    return total - np.repeat(before, np.diff(starts, append=len(of)))


def _split(start: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
    """Spans of time cut at 5 s: which span each part is of, its bucket, and its length in ms."""
    first = start // FINEST_MS
    parts = (end - 1) // FINEST_MS - first + 1
    part = np.repeat(np.arange(len(start)), parts)
    bucket = first[part] + np.arange(len(part)) - np.repeat(np.cumsum(parts) - parts, parts)
    from_ms = np.maximum(start[part], bucket * FINEST_MS)
    return part, bucket, np.minimum(end[part], (bucket + 1) * FINEST_MS) - from_ms


def _edge(place: Ints) -> Ints:
    """The edge of rows that a place in 1/10,000 of the document is at or just above."""
    return -(-place // _PER_ROW)


def _cell(x: Ints, y: Ints) -> Ints:
    return y // _PER_ROW * COLUMNS + x * COLUMNS // SPAN
