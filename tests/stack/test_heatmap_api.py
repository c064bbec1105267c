"""The heat map from a tracker's post to what is answered and streamed, over real parts."""

import io
from collections.abc import Iterator

import httpx2
import pytest
from PIL import Image

from services.heatmap.picture import LEGEND_PX
from tests.stack.conftest import Addresses
from tests.stack.heat_visit import CELL, DEADLINE_S, HeatPage, clicks_heard
from tests.waiting import until

TOP_LEFT = {"x": 0, "y": 0}


@pytest.fixture
def page(addresses: Addresses) -> Iterator[HeatPage]:
    with httpx2.Client(base_url=addresses.heatmap, timeout=DEADLINE_S) as client:
        yield HeatPage(client)


def test_a_visit_is_answered_with_all_that_was_seen_and_clicked(page: HeatPage) -> None:
    page.visit(clicks=2)
    page.wait_for({CELL: 2})

    heat = page.heat()

    assert (heat["visits"], heat["late"]) == (1, 0)
    assert heat["view_ms"] == [400] * 34 + [0] * 166
    assert heat["reach"] == [1] * 34 + [0] * 166
    assert [spot[:1] + spot[2:] for spot in heat["spots"]] == [[1, 512, 300, CELL, 2]]
    assert list(heat["elements"].values()) == ["#buy"]


def test_a_visitor_is_here_now_with_what_is_on_their_screen(page: HeatPage) -> None:
    page.visit()

    until(lambda: page.clicks() and page.heat()["here"] == 1, DEADLINE_S)

    assert page.heat()["bands"] == [1] * 34 + [0] * 166


def test_the_page_is_listed_with_its_kinds_of_visits(page: HeatPage) -> None:
    page.visit(ver="b", w=400)
    page.wait_for({CELL: 1})

    listed = page.client.get("/v1/sites/demo/pages").json()["pages"]
    (mine,) = (one for one in listed if one["page"] == page.page)

    assert mine["variants"] == [{"class": "xs", "audience": "human", "version": "b"}]


def test_filters_choose_widths_versions_and_audiences(page: HeatPage) -> None:
    page.visit(ver="a")
    page.visit(ver="b", clicks=2)
    page.visit(ver="b", w=400, clicks=4)
    page.visit(ver="b", flags=1, clicks=8)
    page.wait_for({CELL: 15}, audience="all")

    assert page.clicks() == {CELL: 7}
    assert page.clicks(version="b") == {CELL: 6}
    assert page.clicks(**{"class": "xl"}) == {CELL: 3}
    assert page.clicks(version="b", **{"class": "xs"}) == {CELL: 4}
    assert page.clicks(audience="bot") == {CELL: 8}


def test_a_click_is_heard_on_an_open_stream(page: HeatPage) -> None:
    page.visit()
    page.wait_for({CELL: 1})

    with page.listening() as events:
        first = next(events)
        page.visit(**TOP_LEFT, clicks=3)

        assert (first.kind, first.clicks()) == ("snapshot", {CELL: 1})
        assert clicks_heard(events, 3)[0] == {0: 3}


def test_a_stream_hears_only_what_its_filters_let_through(page: HeatPage) -> None:
    page.visit()
    page.wait_for({CELL: 1})

    with page.listening(**{"class": "xs"}) as events:
        assert next(events).clicks() == {}
        page.visit(clicks=5)
        page.visit(**TOP_LEFT, w=400, clicks=2)

        assert clicks_heard(events, 2)[0] == {0: 2}


def test_after_a_break_a_stream_goes_on_with_exactly_what_was_missed(page: HeatPage) -> None:
    page.visit()
    page.wait_for({CELL: 1})
    with page.listening() as events:
        next(events)
        page.visit(clicks=2)
        _, last = clicks_heard(events, 2)

    page.visit(clicks=4)
    page.visit(**TOP_LEFT)
    page.wait_for({CELL: 7, 0: 1})
    with page.listening(after=last) as events:
        found, _ = clicks_heard(events, 5)

        assert found == {CELL: 4, 0: 1}
        page.visit(**TOP_LEFT)
        assert clicks_heard(events, 1)[0] == {0: 1}


def test_trackers_send_faster_while_somebody_watches(page: HeatPage) -> None:
    assert page.visit()["flush_ms"] == 5000
    page.wait_for({CELL: 1})

    with page.listening() as events:
        next(events)
        until(lambda: page.visit(click=[])["flush_ms"] == 1000, DEADLINE_S)


def test_a_cell_is_shown_when_k_visitors_are_proven_in_it(page: HeatPage) -> None:
    # Two visitors may share a bit of 64: of nine, three at least have different ones.
    for browser in range(9):
        page.visit(browser=browser)
    for _ in range(9):
        page.visit(**TOP_LEFT)
    page.wait_for({CELL: 9, 0: 9})

    hidden = page.heat(k=3)

    assert hidden["layers"]["click"] == [[CELL, 9]]
    assert hidden["hidden_cells"] == 1
    assert {spot[4] for spot in hidden["spots"]} == {CELL}


def test_an_event_that_is_over_an_hour_late_is_counted_and_in_no_map(page: HeatPage) -> None:
    page.visit()
    page.visit(age=2 * 3_600_000, clicks=5)
    page.wait_for({CELL: 1})

    until(lambda: page.heat()["late"] == 7, DEADLINE_S)

    assert page.clicks(last="1d") == {CELL: 1}


def test_the_picture_is_hottest_where_most_was_clicked(page: HeatPage) -> None:
    page.visit(x=2000, y=2000, clicks=20)
    page.visit(x=8000, y=8000)
    page.wait_for({40 * 64 + 12: 20, 160 * 64 + 51: 1})

    answer = page.ask("picture.png", layer="click", width=320, height=1000)
    picture = Image.open(io.BytesIO(answer.content)).convert("RGB")

    def heat(x: int, y: int) -> int:
        colour = picture.getpixel((x, y))
        assert isinstance(colour, tuple)
        return 255 - colour[1]

    assert picture.size == (320, 1000 + LEGEND_PX)
    assert heat(62, 202) > heat(257, 802) > heat(160, 500) == 0


def test_nothing_lags_once_all_is_applied(page: HeatPage) -> None:
    page.visit()
    page.wait_for({CELL: 1})

    until(lambda: page.client.get("/v1/lag").json()["behind"] == 0, DEADLINE_S)


def test_unknown_pages_and_bad_questions_get_a_sentence(page: HeatPage) -> None:
    unknown = page.ask("live")
    bad = page.ask(k=1)

    assert unknown.status_code == 404
    assert page.page in unknown.json()["detail"]
    assert bad.status_code == 422
    assert "k is '1'" in bad.json()["detail"]
