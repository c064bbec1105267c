import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.heatmap.picture import COLOURS, LEGEND_PX, Caption, Cells, colours, png, shares

SCALES = Path("services/heatmap/web/overlay/scales.js")
CAPTION = Caption("click", "Clicks on /article", "clicks in a cell", "10:00:00 to 10:01:00 UTC")


def painted(cells: Cells, width_px: int = 128, height_px: int = 400) -> Image.Image:
    return Image.open(io.BytesIO(png(cells, width_px, height_px, CAPTION)))


def redness(picture: Image.Image, x: int, y: int) -> int:
    """How far a place is from white paper towards the colour of much heat."""
    colour = picture.getpixel((x, y))
    assert isinstance(colour, tuple)
    return 255 - colour[1]


def test_the_picture_is_a_png_as_wide_as_asked_and_higher_by_its_legend() -> None:
    picture = painted(np.zeros((200, 64)), 320, 1000)

    assert picture.format == "PNG"
    assert picture.size == (320, 1000 + LEGEND_PX)


def test_the_cell_with_the_most_is_the_hottest_place() -> None:
    cells = np.zeros((200, 64))
    cells[150, 10], cells[40, 50] = 100, 4

    picture = painted(cells)

    hot, warm, cold = (redness(picture, x, y) for x, y in ((21, 301), (101, 81), (64, 200)))
    assert hot > warm > cold == 0
    assert hot == max(redness(picture, x, y) for x in range(128) for y in range(400))


def test_a_page_without_heat_is_white() -> None:
    picture = painted(np.zeros((200, 64)))

    assert picture.crop((0, 0, 128, 400)).getcolors() == [(128 * 400, (255, 255, 255))]


def test_rows_are_painted_over_the_whole_width() -> None:
    rows = np.zeros((200, 1))
    rows[100] = 5

    picture = painted(rows)

    assert len({picture.getpixel((x, 201)) for x in range(128)}) == 1
    assert redness(picture, 64, 201) > 0


def test_a_single_click_shows_beside_a_crowd() -> None:
    cells = np.zeros((200, 64))
    cells[0, 0], cells[1, 1] = 10_000, 1

    assert shares(cells)[1, 1] == pytest.approx(0.01)


def test_rows_are_shown_in_proportion() -> None:
    assert shares(np.array([[10.0], [1.0]]))[1, 0] == pytest.approx(0.1)


def test_no_heat_has_no_colour_and_more_heat_is_never_fainter() -> None:
    opacity = colours("click")[:, 3].astype(int)

    assert opacity[0] == 0
    assert (np.diff(opacity) >= 0).all()


def test_the_colours_are_those_of_the_overlay() -> None:
    overlay = SCALES.read_text()
    as_there = {"reach": "now"}

    for layer, stops in COLOURS.items():
        listed = ", ".join(f'"{stop}"' for stop in stops)
        assert f"{as_there.get(layer, layer)}: [{listed}]" in overlay
