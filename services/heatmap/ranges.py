"""Which buckets hold a span of time: few wide ones inside, the finest that are kept at its ends.

Every event is in a bucket of each level, so a span is the sum of any buckets that tile it: an hour
is 59 minutes and a few times 5 s at its ends, not 720 times 5 s. Buckets are dropped by age, the
narrow ones first, so the older end of a span decides how exact its edge can be. Edges are moved
outwards to where buckets end, and the answer says where.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from services.heatmap.grid import LEVEL_MS
from services.heatmap.keys import KEEP_MS

DAY_MS = LEVEL_MS["1d"]
LONGEST_MS = KEEP_MS["1d"]
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_LAST = re.compile(r"([1-9][0-9]{0,6})([smhd])")
# Levels from the finest to the widest; a wider one is kept longer and is a multiple of the finer.
_FINEST_FIRST = sorted(LEVEL_MS, key=LEVEL_MS.__getitem__)


class SpanError(ValueError):
    """The span of time asked for can't be answered; the text says why."""


@dataclass(frozen=True)
class Span:
    """Buckets that tile a span of time exactly, edges included as they are.

    buckets: (level, number), oldest first. level: the finest one among them.
    """

    from_ms: int
    to_ms: int
    level: str
    buckets: list[tuple[str, int]]

    def by_level(self) -> dict[str, list[int]]:
        """The numbers of the buckets of each level."""
        ordered = sorted(self.buckets)
        return {
            level: [number for _, number in run]
            for level, run in groupby(ordered, key=lambda bucket: bucket[0])
        }


def asked(last: str | None, from_ms: int | None, to_ms: int | None, now_ms: int) -> Span:
    """The span of `last` (60s, 1h, 2d, today), or of from and to; SpanError when they make none.

    Without any of them it is the last 60 s. `to` may be left out, which is now.
    """
    if last is not None and (from_ms is not None or to_ms is not None):
        raise SpanError("The query has both last and from or to, but should have one of them.")
    if from_ms is not None:
        return _between(from_ms, now_ms if to_ms is None else to_ms, now_ms)
    if to_ms is not None:
        raise SpanError("The query has to without from, but should have both.")
    return tile(_start(last or "60s", now_ms), now_ms, now_ms)


def tile(from_ms: int, to_ms: int, now_ms: int) -> Span:
    """The fewest buckets that are still kept `now_ms` and hold from_ms <= t < to_ms."""
    buckets = list(_tiles(from_ms, to_ms, now_ms))
    (first_level, first), (last_level, last) = buckets[0], buckets[-1]
    return Span(
        first * LEVEL_MS[first_level],
        (last + 1) * LEVEL_MS[last_level],
        min((level for level, _ in buckets), key=LEVEL_MS.__getitem__),
        buckets,
    )


def _between(from_ms: int, to_ms: int, now_ms: int) -> Span:
    if from_ms >= to_ms:
        raise SpanError(f"from is {from_ms}, but should lie before to, which is {to_ms}.")
    if from_ms >= now_ms:
        raise SpanError(f"from is {from_ms}, but should lie before now, which is {now_ms}.")
    if from_ms < now_ms - LONGEST_MS:
        raise SpanError(
            f"from is {from_ms}, but heat is kept for {LONGEST_MS // DAY_MS} days: since "
            f"{now_ms - LONGEST_MS}."
        )
    return tile(from_ms, min(to_ms, now_ms), now_ms)


def _start(last: str, now_ms: int) -> int:
    if last == "today":
        return now_ms // DAY_MS * DAY_MS
    found = _LAST.fullmatch(last)
    length_ms = int(found[1]) * _UNITS_MS[found[2]] if found else 0
    if not 0 < length_ms <= LONGEST_MS:
        raise SpanError(
            f"last is {last[:20]!r}, but should be today (UTC) or a length such as 60s, 30m, 1h "
            f"or 7d, of at most {LONGEST_MS // DAY_MS}d."
        )
    return now_ms - length_ms


def _tiles(from_ms: int, to_ms: int, now_ms: int) -> Iterator[tuple[str, int]]:
    finest = _finest_kept(from_ms, now_ms)
    at_ms = from_ms // LEVEL_MS[finest] * LEVEL_MS[finest]
    while at_ms < to_ms:
        level = _widest_fitting(at_ms, to_ms, now_ms)
        yield level, at_ms // LEVEL_MS[level]
        at_ms += LEVEL_MS[level]


def _widest_fitting(at_ms: int, to_ms: int, now_ms: int) -> str:
    finest = _finest_kept(at_ms, now_ms)
    fitting = (
        level
        for level in reversed(_FINEST_FIRST)
        if at_ms % LEVEL_MS[level] == 0 and at_ms + LEVEL_MS[level] <= to_ms
    )
    level = next(fitting, finest)
    return level if LEVEL_MS[level] >= LEVEL_MS[finest] else finest


def _finest_kept(at_ms: int, now_ms: int) -> str:
    """The finest level whose buckets from that time on can't have expired yet."""
    kept = (level for level in _FINEST_FIRST if now_ms < at_ms + KEEP_MS[level] - LEVEL_MS[level])
    return next(kept, _FINEST_FIRST[-1])
