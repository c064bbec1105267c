"""The pages that are visited: how tall they are and what on them is clicked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from services.heatmap.visiting.people import Device

NARROW_PX = 768


@dataclass(frozen=True)
class Target:
    """An element that people click, with its place on narrow and on wide windows.

    Places are the middle of its box, x and y in 1/10,000 of the document. A dead one does nothing
    when it is clicked, but looks as if it did.
    """

    selector: str
    weight: float
    narrow: tuple[int, int]
    wide: tuple[int, int]
    dead: bool = False

    def place(self, device: Device) -> tuple[int, int]:
        return self.narrow if device.width_px < NARROW_PX else self.wide


@dataclass(frozen=True)
class Page:
    """One version of a page; its heights are those on narrow and on wide windows."""

    site: str
    path: str
    version: str
    narrow_px: int
    wide_px: int
    targets: tuple[Target, ...] = ()

    def height_px(self, device: Device) -> int:
        """The height of the document, which fills the window at least."""
        height_px = self.narrow_px if device.width_px < NARROW_PX else self.wide_px
        return max(height_px, device.height_px)


class Choice(NamedTuple):
    """A page and how often it is opened, beside the others."""

    page: Page
    weight: float


ARTICLE = (Target("#subscribe", 3, narrow=(5_000, 9_400), wide=(5_000, 9_300)),)
ITEM = (
    Target("#buy", 5, narrow=(2_400, 4_300), wide=(6_300, 3_400)),
    Target("#product-picture", 2, narrow=(5_000, 2_200), wide=(2_900, 3_200), dead=True),
    Target("#five-items>li:nth-of-type(1)>a", 2, narrow=(2_600, 6_400), wide=(1_500, 7_600)),
    Target("#five-items>li:nth-of-type(2)>a", 1, narrow=(7_400, 6_400), wide=(3_300, 7_600)),
)
ARTICLE_SHARE = 0.6


def choices(items: Sequence[str]) -> list[Choice]:
    """Both versions of the article as often, and these items' pages, as unevenly as they sell."""
    article = [
        Choice(Page("demo", "/article", "", 9_000, 5_200, ARTICLE), ARTICLE_SHARE / 2),
        Choice(Page("demo", "/article", "b", 9_600, 5_600, ARTICLE), ARTICLE_SHARE / 2),
    ]
    shares = [1 / rank for rank in range(1, len(items) + 1)]
    return article + [
        Choice(_item(item), (1 - ARTICLE_SHARE) * share / sum(shares))
        for item, share in zip(items, shares, strict=True)
    ]


def _item(item_id: str) -> Page:
    return Page("shop", f"/items/{quote(item_id)}", "", 1_900, 1_250, ITEM)
