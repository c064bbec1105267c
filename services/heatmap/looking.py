"""Answers about a page in a span of time: out of the store, by the filters, hidden where asked."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime

import numpy as np

from services.heatmap import maps
from services.heatmap.answers import Heat as HeatAnswer
from services.heatmap.answers import Pages, Points
from services.heatmap.asking import Asked, Heat, UnknownError, shown
from services.heatmap.grid import COLUMNS, ROWS, Layer, Variant
from services.heatmap.picture import Caption, png
from services.heatmap.ranges import Span

LAYER_TITLES = {
    "move": ("Pointer", "samples in a cell"),
    "click": ("Clicks", "in a cell"),
    "rage": ("Rage clicks", "in a cell"),
    "dead": ("Dead clicks", "in a cell"),
    "view": ("Seconds on screen", "s"),
    "reach": ("How far visits got", "visits"),
}
_ROW_LAYERS = {"view": (Layer.VIEW, 1000), "reach": (Layer.REACH, 1)}


class Looking:
    """What can be seen of the pages of some sites; UnknownError for all others."""

    def __init__(self, heat: Heat, sites: Collection[str]) -> None:
        self.heat = heat
        self.sites = sorted(sites)
        # A picture is a second of one core at most; more of them at a time would starve the rest.
        self._drawing = asyncio.Semaphore(1)

    async def pages(self, site: str) -> Pages:
        self._require_site(site)
        return Pages(site=site, pages=await self.heat.pages(site))

    async def require(self, asked: Asked) -> list[Variant]:
        """The kinds of visits to the page; UnknownError when it or its site is not known."""
        self._require_site(asked.site)
        known = await self.heat.variants(asked.site, asked.page)
        if not known:
            raise UnknownError(
                f"No visit to the page {asked.page[:100]!r} of the site '{asked.site}' is known."
            )
        return known

    async def heat_of(self, asked: Asked, span: Span) -> HeatAnswer:
        """Everything about a page in a span."""
        seen = await self._seen(asked, span)
        spots, left_out = seen.spots()
        ids = sorted({spot[1] for spot in spots})
        presence = shown(await self.heat.presence(asked), asked.k)
        return HeatAnswer(
            site=asked.site,
            page=asked.page,
            view_class=asked.view_class,
            version=asked.version,
            audience=asked.audience,
            from_ms=span.from_ms,
            to_ms=span.to_ms,
            level=span.level,
            k=asked.k,
            visits=seen.visits,
            visitors_at_least=seen.visitors_at_least,
            late=await self.heat.late(asked.site, asked.page),
            layers=Points(**{name: seen.counts(name) for name in maps.POINTS}),
            view_ms=seen.rows(Layer.VIEW),
            reach=seen.rows(Layer.REACH),
            spots=spots,
            spots_left_out=left_out,
            hidden_cells=seen.hidden_cells,
            elements=await self.heat.elements(asked.site, asked.page, ids),
            here=presence.here,
            bands=presence.bands,
        )

    async def picture(
        self, asked: Asked, span: Span, layer: str, width_px: int, height_px: int
    ) -> bytes:
        """One layer as a PNG."""
        seen = await self._seen(asked, span)
        if layer in _ROW_LAYERS:
            number, unit = _ROW_LAYERS[layer]
            cells = np.array(seen.rows(number), float)[:, np.newaxis] / unit
        else:
            cells = seen.cells(layer).astype(float).reshape(ROWS, COLUMNS)
        title, unit_name = LAYER_TITLES[layer]
        caption = Caption(
            layer, f"{title} on {asked.page}", unit_name, _details(asked, span, seen.visits)
        )
        async with self._drawing:
            return await asyncio.to_thread(png, cells, width_px, height_px, caption)

    async def _seen(self, asked: Asked, span: Span) -> maps.Seen:
        chosen = [one for one in await self.require(asked) if asked.takes(one)]
        return maps.Seen(await self.heat.tally(chosen, span.by_level()), asked.k)

    def _require_site(self, site: str) -> None:
        if site not in self.sites:
            raise UnknownError(f"There is no site {site[:64]!r}; there is {', '.join(self.sites)}.")


def _details(asked: Asked, span: Span, visits: int) -> str:
    start, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (span.from_ms, span.to_ms))
    same_day = start.date() == end.date()
    until = end.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")
    who = {"human": "people", "all": "everybody"}.get(asked.audience, asked.audience)
    windows = f"windows {asked.view_class}" if asked.view_class else "all widths"
    count = f"{visits:,} visit{'' if visits == 1 else 's'}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {until} UTC · {count} · {who} · {windows}"
