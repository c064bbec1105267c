"""Batches for tests, and the fold as one would write it first: event by event, over dicts."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from services.heatmap.events import AUDIENCES, CLASSES, Batch, element_id
from services.heatmap.folding import Folded
from services.heatmap.grid import LEVEL_MS, Layer, key, merged

T0 = 1_780_000_000_000
HOUR_MS = 3_600_000
WHO = 8

Rows = Sequence[Sequence[int]]
Place = tuple[str, str, int]
Sums = dict[Place, dict[int, int]]


def batch(
    view: Rows = (), move: Rows = (), click: Rows = (), reach: Rows = (), **fields: Any
) -> Batch:
    """A batch of one page view that began at T0 and was received a second later."""
    columns = {"view": view, "move": move, "click": click, "reach": reach}
    packed = {
        name: array("i", [value for row in rows for value in row]).tobytes()
        for name, rows in columns.items()
    }
    known: dict[str, Any] = {
        "v": 1, "received_ms": T0 + 1_000, "origin_ms": T0, "site": "demo", "page": "/article",
        "version": "a", "view_class": "l", "audience": 0, "view_id": 7, "number": 0,
        "visitor": 3, "at": (0, 900), "bye": False, "elements": [],
    }  # fmt: skip
    return Batch(**known | packed | fields)


def sums(folds: Iterable[Folded]) -> Sums:
    """What folds add up to, by variant, level and bucket, and by key."""
    tallies = defaultdict(list)
    for folded in folds:
        for name, level in folded.levels.items():
            for variant, bucket, entries in level.tallies():
                tallies[folded.variants[variant], name, bucket].append(entries)
    return {
        place: {k: v % 2**64 if k >> 63 else v for k, v in merged(some).tolist()}
        for place, some in tallies.items()
    }


def naive(batches: Iterable[Batch]) -> tuple[Sums, Counter[str]]:
    """The same one event after the other, and the late events by `site|page`."""
    counts: defaultdict[Place, Counter[int]] = defaultdict(Counter)
    masks: defaultdict[Place, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    late: Counter[str] = Counter()
    for b in batches:
        variant = "|".join((b.site, b.view_class, AUDIENCES[b.audience], b.version, b.page))
        for begins_ms, parts in events(b):
            if b.received_ms - begins_ms > HOUR_MS:
                late[f"{b.site}|{b.page}"] += 1
                continue
            for time_ms, added, seen in parts:
                for level, width_ms in LEVEL_MS.items():
                    place = (variant, level, time_ms // width_ms)
                    counts[place].update(added)
                    for layer, cell in (*seen, (Layer.VISIT, 0)):
                        masks[place][key(layer + WHO, cell)] |= 1 << b.visitor % 64
    return {
        place: {k: v for k, v in (counts[place] | masks[place]).items() if v} for place in masks
    }, late


Part = tuple[int, dict[int, int], list[tuple[int, int]]]


def events(b: Batch) -> Iterable[tuple[int, list[Part]]]:
    """Each event: when it began, and its parts with time, counts by key, and cells of who."""
    time_ms = b.origin_ms
    for gap, duration, top, bottom in rows(b.view, 4):
        start, time_ms = time_ms + gap, time_ms + gap + duration
        yield start, list(exposure(start, duration, top, bottom))
    time_ms = b.origin_ms
    for gap, x, y in rows(b.move, 3):
        time_ms += gap
        at = cell(x, y)
        yield time_ms, [(time_ms, {key(Layer.MOVE, at): 1}, [(Layer.MOVE, at)])]
    for offset, kind, x, y, element, p, q, _ in rows(b.click, 8):
        at, spot = cell(x, y), (0, 0)
        if element >= 0:
            spot = element_id(b.elements[element]), p * 1024 + q
        time_ms = b.origin_ms + offset
        yield time_ms, [(time_ms, {key(kind, at, *spot): 1}, [(kind, at)])]
    for offset, before, now in rows(b.reach, 3):
        first = 0 if before < 0 else max(1, -(-before // 50))
        change = Counter({key(Layer.REACH, first): 1})
        change.update({key(Layer.REACH, max(1, -(-now // 50))): -1})
        if before < 0:
            change[key(Layer.VISIT, 0)] = 1
        yield b.origin_ms + offset, [(b.origin_ms + offset, change, [])]


def exposure(start: int, duration: int, top: int, bottom: int) -> Iterable[Part]:
    first = min(199, top // 50)
    edge = max(first + 1, -(-bottom // 50))
    for ms in by_bucket(start, duration).items():
        yield ms[0], {key(Layer.VIEW, first): ms[1], key(Layer.VIEW, edge): -ms[1]}, []


def by_bucket(start: int, duration: int) -> dict[int, int]:
    """Milliseconds by the beginning of each 5 s bucket that a span touches."""
    found: dict[int, int] = {}
    while duration > 0:
        part = min(duration, 5_000 - start % 5_000)
        found[start // 5_000 * 5_000] = part
        start, duration = start + part, duration - part
    return found


def cell(x: int, y: int) -> int:
    return y // 50 * 64 + x * 64 // 10_000


def rows(packed: bytes, width: int) -> list[tuple[int, ...]]:
    numbers = array("i", packed).tolist()
    return [tuple(numbers[i : i + width]) for i in range(0, len(numbers), width)]


def row(*ranges: tuple[int, int]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*(st.integers(low, high) for low, high in ranges))


_gap, _place, _point = (0, 9_000), (0, 10_000), (0, 9_999)
_views = row(_gap, (0, 60_000), _place, _place).map(lambda r: (*r[:2], *sorted(r[2:])))
_clicks = row((0, 90_000), (1, 3), _point, _point, (-1, 1), (0, 1_023), (0, 1_023), (0, 7))
_reaches = st.one_of(row(_gap, (0, 4_000), (4_001, 10_000)), row(_gap, (-1, -1), _place))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any batch that the collector may let through, on few pages at about the same time."""
    origin_ms = T0 + draw(st.integers(-10_000, 10_000))
    age_ms = draw(st.one_of(st.integers(0, 60_000), st.integers(HOUR_MS - 9_000, HOUR_MS + 30_000)))
    return batch(
        draw(st.lists(_views, max_size=5)),
        draw(st.lists(row(_gap, _point, _point), max_size=5)),
        draw(st.lists(_clicks, max_size=3)),
        draw(st.lists(_reaches, max_size=2)),
        origin_ms=origin_ms,
        received_ms=origin_ms + age_ms,
        page=draw(st.sampled_from(["/", "/a|b"])),
        version=draw(st.sampled_from(["", "b"])),
        view_class=draw(st.sampled_from(CLASSES)),
        audience=draw(st.integers(0, 2)),
        visitor=draw(st.integers(0, 2**64 - 1)),
        elements=["#buy", "main>p"],
    )
