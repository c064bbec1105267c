"""A store in memory at the seam of the API, and tallies to put into it."""

from collections.abc import Mapping, Sequence

import numpy as np
from redis.exceptions import ConnectionError as AwayError

from services.heatmap.answers import Kind, Page
from services.heatmap.asking import Asked, Presence
from services.heatmap.grid import ENTRY, LEVEL_MS, ROWS, Layer, Tally, Variant, key, merged
from services.heatmap.grid import WHO as WHO_BIT
from services.heatmap.store import Place, Tails

ARTICLE = Variant("demo", "l", "human", "a", "/article")
NOBODY = Presence(0, [0] * ROWS)


def entry(layer: int, cell: int, value: int, element: int = 0, sub: int = 0) -> Tally:
    return np.array([(key(layer, cell, element, sub), value)], ENTRY)


def clicks(cell: int, count: int, visitors: int = 1, element: int = 0, sub: int = 0) -> Tally:
    """Clicks into a cell by different visitors, who are proven on the page, too."""
    who = (1 << visitors) - 1
    return np.concatenate(
        [
            entry(Layer.CLICK, cell, count, element, sub),
            entry(Layer.CLICK | WHO_BIT, cell, who),
            entry(Layer.VISIT | WHO_BIT, 0, who),
        ]
    )


class FakeHeat:
    """Tallies by level, bucket and variant, which tests append to."""

    def __init__(self) -> None:
        self.grids: dict[tuple[str, int, Variant], Tally] = {}
        self.selectors: dict[int, str] = {}
        self.here = NOBODY
        self.run = "run-1"
        self.is_away = False
        self.watched: list[str] = []
        self.per_minute = 60
        self.positions: dict[int, int] = {}
        self.late_events = 0

    def add(self, time_ms: int, tally: Tally, variant: Variant = ARTICLE) -> None:
        """Append to all levels."""
        for level, width_ms in LEVEL_MS.items():
            place = (level, time_ms // width_ms, variant)
            self.grids[place] = np.concatenate([self.grids.get(place, tally[:0]), tally])

    async def pages(self, site: str) -> list[Page]:
        self._answer()
        known = {v.page for _, _, v in self.grids if v.site == site}
        return [
            Page(page=page, last_hour_ms=0, here=self.here.here, variants=self._kinds(site, page))
            for page in sorted(known)
        ]

    async def variants(self, site: str, page: str) -> list[Variant]:
        self._answer()
        return sorted({v for _, _, v in self.grids if (v.site, v.page) == (site, page)})

    async def tally(self, chosen: Sequence[Variant], buckets: Mapping[str, Sequence[int]]) -> Tally:
        self._answer()
        places = [
            (level, n, v) for level, numbers in buckets.items() for n in numbers for v in chosen
        ]
        return merged(self.grids[place] for place in places if place in self.grids)

    async def tails(self, known: Mapping[Place, int]) -> Tails:
        self._answer()
        empty = np.empty(0, ENTRY)
        news: dict[Place, Tally | None] = {}
        for (variant, bucket), length in known.items():
            entries = self.grids.get(("5s", bucket, variant), empty)
            if len(entries) != length:
                news[variant, bucket] = entries[length:] if len(entries) > length else None
        return Tails(self.run, news)

    async def elements(self, site: str, page: str, ids: Sequence[int]) -> dict[int, str]:
        self._answer()
        return {number: self.selectors[number] for number in ids if number in self.selectors}

    async def presence(self, asked: Asked) -> Presence:
        self._answer()
        return self.here

    async def late(self, site: str, page: str) -> int:
        return self.late_events

    async def watch(self, site: str, page: str) -> None:
        self._answer()
        self.watched.append(f"{site}|{page}")

    async def rate(self) -> int:
        self._answer()
        return self.per_minute

    async def set_rate(self, per_minute: int) -> None:
        self._answer()
        self.per_minute = per_minute

    async def applied(self, partitions: Sequence[int]) -> dict[int, int]:
        self._answer()
        return {number: self.positions.get(number, 0) for number in partitions}

    def _kinds(self, site: str, page: str) -> list[Kind]:
        known = sorted({v for _, _, v in self.grids if (v.site, v.page) == (site, page)})
        return [
            Kind(view_class=v.view_class, audience=v.audience, version=v.version) for v in known
        ]

    def _answer(self) -> None:
        if self.is_away:
            raise AwayError("Connection refused.")
