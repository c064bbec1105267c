"""What the store holds, read with nothing of the code that writes it."""

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

import redis

from tests.heat.truth import ROWS, VISIT, Point, Truth

LEVELS = ("5s", "1m", "1h", "1d")
VIEW, REACH = 4, 5
SEEN = 8

Grid = dict[Point, int]


@dataclass(frozen=True)
class Difference:
    """Values that are lower and values that are higher than the truth, and some of them in words.

    A value is what one level of one variant shows in one cell of one layer, over all time.
    """

    lost: int
    doubled: int
    compared: int
    examples: list[str]


def entries(value: bytes) -> Grid:
    """The entries of a stored grid, merged as readers merge them."""
    found: Grid = {}
    for key, number in struct.iter_unpack("<Qq", value):
        place = (key >> 60, key >> 46 & 0x3FFF, key >> 20 & 0x3FFFFFF, key & 0xFFFFF)
        if place[0] & SEEN:
            found[place] = found.get(place, 0) | number
        else:
            found[place] = found.get(place, 0) + number
    return {place: number for place, number in found.items() if number}


def grids(store: "redis.Redis", pattern: str = "*") -> dict[str, Grid]:
    """Every stored grid by its key."""
    keys = sorted(store.scan_iter(f"heat:g:{pattern}", count=10_000))
    found: dict[str, Grid] = {}
    for start in range(0, len(keys), 1000):
        some = keys[start : start + 1000]
        for key, value in zip(some, store.mget(some), strict=True):
            if isinstance(value, bytes):
                found[key.decode()] = entries(value)
    return found


def whole(found: Mapping[str, Grid], level: str) -> dict[str, Grid]:
    """The grids of one level added up over all time, by variant."""
    total: defaultdict[str, Grid] = defaultdict(dict)
    for key, grid in found.items():
        _, _, of_level, _, variant = key.split(":", 4)
        if of_level != level:
            continue
        into = total[variant]
        for place, number in grid.items():
            so_far = into.get(place, 0)
            into[place] = so_far | number if place[0] & SEEN else so_far + number
    return total


def differences(truth: Truth, found: Mapping[str, Grid], late: Mapping[str, int]) -> Difference:
    """All that is compared: each level of each variant, and the late events of each page."""
    lost = doubled = compared = 0
    examples: list[str] = []
    pairs = [(f"late {page}", n, late.get(page, 0)) for page, n in truth.late.items()]
    for level in LEVELS:
        shown = whole(found, level)
        for variant in truth.heat.keys() | shown.keys():
            pairs += _compared(truth, f"{level} {variant}", variant, shown.get(variant, {}))
    for name, expected, got in pairs:
        compared += 1
        lost += got < expected
        doubled += got > expected
        if got != expected and len(examples) < 10:
            examples.append(f"{name} is {got}, not {expected}")
    return Difference(lost, doubled, compared, examples)


def late_events(store: "redis.Redis", truth: Truth) -> dict[str, int]:
    """What is counted as late on each page of the truth."""
    return {page: int(store.get(f"heat:late:{page}") or 0) for page in truth.late}


def _compared(truth: Truth, name: str, variant: str, grid: Grid) -> Iterator[tuple[str, int, int]]:
    heat = truth.heat[variant]
    points = {place: n for place, n in grid.items() if place[0] < VIEW}
    for place in heat.points.keys() | points.keys():
        yield f"{name} {place}", heat.points.get(place, 0), points.get(place, 0)
    for layer, rows in ((VIEW, heat.view_ms), (REACH, heat.reach)):
        for row, (expected, got) in enumerate(zip(rows, _by_row(grid, layer), strict=True)):
            yield f"{name} layer {layer} row {row}", expected, got
    yield f"{name} visits", heat.visits, grid.get((VISIT, 0, 0, 0), 0)
    seen = {(layer & ~SEEN, cell) for layer, cell, _, _ in grid if layer & SEEN}
    for touched in heat.touched | seen:
        yield f"{name} who saw {touched}", touched in heat.touched, touched in seen


def _by_row(grid: Grid, layer: int) -> list[int]:
    """The values of rows from those of their edges."""
    return list(accumulate(grid.get((layer, edge, 0, 0), 0) for edge in range(ROWS)))
