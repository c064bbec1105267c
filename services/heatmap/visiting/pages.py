"""The pages that are visited: how tall they are and what on them is clicked.

Places and sizes were read off the pages as Chromium lays them out at 390, 820 and 1440 pixels. A
column of text that is centred keeps its distance from the middle at any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import quote

from services.heatmap.visiting.people import Device

NARROW, MEDIUM, WIDE = range(3)
_MEDIUM_PX, _WIDE_PX = 768, 1024


class Box(NamedTuple):
    """An element's box in pixels of the document: its middle and its size.

    x_px: from the left on narrow windows, from the window's middle on others.
    """

    x_px: int
    y_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Target:
    """An element that people click; a dead one does nothing, but looks as if it did.

    boxes: on narrow, medium and wide windows.
    """

    selector: str
    weight: float
    boxes: tuple[Box, Box, Box]
    dead: bool = False

    def box(self, device: Device) -> Box:
        """Where it is on this device, from the document's upper left corner."""
        box = self.boxes[layout(device)]
        if layout(device) == NARROW:
            return box
        return box._replace(x_px=box.x_px + device.width_px // 2)


@dataclass(frozen=True)
class Page:
    """One version of a page; its heights are those on narrow, medium and wide windows."""

    site: str
    path: str
    version: str
    heights_px: tuple[int, int, int]
    targets: tuple[Target, ...] = ()

    def height_px(self, device: Device) -> int:
        """The height of the document, which fills the window at least."""
        return max(self.heights_px[layout(device)], device.height_px)


def layout(device: Device) -> int:
    """Which of its layouts a page has on this device."""
    return (device.width_px >= _MEDIUM_PX) + (device.width_px >= _WIDE_PX)


class Choice(NamedTuple):
    """A page and how often it is opened, beside the others."""

    page: Page
    weight: float


def _in_column(narrow: Box, wide: Box) -> tuple[Box, Box, Box]:
    """The boxes of what stands in a column that is as wide on medium windows as on wide ones."""
    return narrow, wide, wide


OPENING = (
    Target("#dashboard", 3, _in_column(Box(103, 441, 166, 44), Box(-254, 437, 166, 44))),
    Target("#pdf", 3, _in_column(Box(273, 441, 142, 44), Box(-82, 437, 142, 44)), dead=True),
)
BODY = (
    Target(
        "#question>p:nth-of-type(2)",
        1,
        _in_column(Box(188, 1076, 335, 331), Box(0, 802, 672, 150)),
        dead=True,
    ),
    Target("#band>svg", 2, _in_column(Box(188, 2047, 335, 258), Box(0, 1467, 672, 371)), dead=True),
    Target("#press", 6, _in_column(Box(78, 4186, 116, 44), Box(-278, 2791, 116, 44))),
    Target(
        "#privacy>p:nth-of-type(2)>a",
        1,
        _in_column(Box(179, 7306, 319, 51), Box(18, 4716, 173, 21)),
    ),
    Target("#subscribe", 6, _in_column(Box(94, 8339, 147, 44), Box(-262, 5374, 147, 44))),
)
# Version b has a notice between the two, which pushes the rest down by so much.
NEWS = Target("#news-link", 2, _in_column(Box(94, 700, 97, 19), Box(-262, 647, 97, 19)))
NEWS_PX = (257, 208, 208)
ITEM = (
    Target("#buy", 5, (Box(88, 722, 144, 48), Box(143, 274, 144, 48), Box(-24, 282, 144, 48))),
    Target(
        "#product-picture",
        2,
        (Box(188, 320, 343, 343), Box(-178, 300, 416, 416), Box(-368, 300, 416, 416)),
        dead=True,
    ),
    Target(
        "#five-items>li:nth-of-type(1)>a",
        3,
        (Box(248, 1082, 223, 28), Box(-315, 839, 142, 40), Box(-469, 912, 214, 40)),
    ),
    Target(
        "#five-items>li:nth-of-type(2)>a",
        2,
        (Box(248, 1202, 223, 28), Box(-157, 839, 142, 40), Box(-235, 912, 214, 40)),
    ),
)
ARTICLE_SHARE = 0.6


def choices(items: Sequence[str]) -> list[Choice]:
    """Both versions of the article as often, and these items' pages, as unevenly as they sell."""
    article = [Choice(page, ARTICLE_SHARE / 2) for page in (article_a(), article_b())]
    shares = [1 / rank for rank in range(1, len(items) + 1)]
    return article + [
        Choice(_item(item), (1 - ARTICLE_SHARE) * share / sum(shares))
        for item, share in zip(items, shares, strict=True)
    ]


def article_a() -> Page:
    """The demo article."""
    return Page("demo", "/article", "", (8_538, 5_550, 5_550), (*OPENING, *BODY))


def article_b() -> Page:
    """The demo article with a notice inserted above most of it."""
    a = article_a()
    narrow_px, medium_px, wide_px = (
        height_px + by_px for height_px, by_px in zip(a.heights_px, NEWS_PX, strict=True)
    )
    return replace(
        a,
        version="b",
        heights_px=(narrow_px, medium_px, wide_px),
        targets=(*OPENING, NEWS, *map(_lowered, BODY)),
    )


def _lowered(target: Target) -> Target:
    narrow, medium, wide = (
        box._replace(y_px=box.y_px + by_px)
        for box, by_px in zip(target.boxes, NEWS_PX, strict=True)
    )
    return replace(target, boxes=(narrow, medium, wide))


def _item(item_id: str) -> Page:
    return Page("shop", f"/items/{quote(item_id)}", "", (1_813, 1_304, 1_092), ITEM)
