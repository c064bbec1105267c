"""A heat map as a PNG: one layer of the grid over the proportions of its page, and a legend."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

Cells = NDArray[np.float64]
Colours = NDArray[np.uint8]

LEGEND_PX = 56
_MARGIN_PX = 12
_BAR_PX = 8
_FONT_PX = 13
_PAPER, _INK = (255, 255, 255), (60, 60, 67)
_OPACITY = 0.9
# The overlay's colours (web/overlay/scales.js), from the least heat to the most of a layer.
COLOURS = {
    "click": ("#ffd54a", "#ff8a1f", "#d7191c"),
    "dead": ("#b9a7ff", "#6d4bd8", "#3b1f9c"),
    "rage": ("#ff9ad5", "#e0218a", "#8f0050"),
    "move": ("#8fe3dc", "#16a3a0", "#0a5f73"),
    "view": ("#fff1a8", "#f4b942", "#e07b1a"),
    "reach": ("#a9cdff", "#3f86ea", "#1b52b8"),
}


@dataclass(frozen=True)
class Caption:
    """What the legend says: the layer and its unit, where, when, and out of how many visits."""

    layer: str
    title: str
    unit: str
    details: str


def colours(layer: str) -> Colours:
    """The colour of each of 256 steps from nothing to a layer's hottest place, as 256 x RGBA."""
    stops = [ImageColor.getrgb(text) for text in COLOURS[layer]]
    shares = np.linspace(0, 1, 256)
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(shares, places, channel) for channel in zip(*stops, strict=True)]
    opacity = 255 * _OPACITY * np.minimum(1, shares * 1.6)
    return np.stack([*channels, opacity], axis=1).astype(np.uint8)


def shares(cells: Cells) -> Cells:
    """How hot each cell is beside the hottest, 0 to 1.

    Points by the root, which keeps a single one visible beside a crowd; whole rows as they are.
    """
    hottest = cells.max(initial=0)
    if hottest <= 0:
        return np.zeros_like(cells)
    share: Cells = np.clip(cells, 0, None) / hottest
    return share if cells.shape[1] == 1 else np.asarray(np.sqrt(share))


def png(cells: Cells, width_px: int, height_px: int, caption: Caption) -> bytes:
    """The picture: width_px wide, height_px + LEGEND_PX high.

    cells: rows x columns of what is painted, not negative; a single column for whole rows.
    """
    picture = Image.new("RGB", (width_px, height_px + LEGEND_PX), _PAPER)
    table = colours(caption.layer)
    heat = _heat(shares(cells), table, width_px, height_px)
    picture.paste(heat, (0, 0), heat)
    _draw_legend(picture, height_px, float(cells.max(initial=0)), table, caption)
    written = BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def _heat(share: Cells, table: Colours, width_px: int, height_px: int) -> Image.Image:
    grid = Image.fromarray(share.astype(np.float32))
    # Linear between the cells' centres: no place is hotter than the cells around it.
    smooth = grid.resize((width_px, height_px), Image.Resampling.BILINEAR)
    steps = np.clip(np.asarray(smooth) * 255, 0, 255).astype(np.uint8)
    return Image.fromarray(table[steps])


def _draw_legend(
    picture: Image.Image, top_px: int, hottest: float, table: Colours, caption: Caption
) -> None:
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(_FONT_PX)
    draw.line([(0, top_px), (picture.width, top_px)], fill=_INK)
    scale = f"0 to {hottest:,.0f} {caption.unit}"
    scale_px = draw.textlength(scale, font)
    draw.text((_MARGIN_PX, top_px + 7), caption.title, _INK, font)
    draw.text((picture.width - _MARGIN_PX - scale_px, top_px + 7), scale, _INK, font)
    ramp = Image.fromarray(table[np.newaxis]).resize(
        (max(1, picture.width - 2 * _MARGIN_PX), _BAR_PX)
    )
    picture.paste(ramp, (_MARGIN_PX, top_px + 25), ramp)
    draw.text((_MARGIN_PX, top_px + 36), caption.details, _INK, font)
