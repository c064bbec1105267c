"""The overlay in a real browser: what trackers send is painted where it happened."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.stack.browser import needs_chromium
from tests.stack.heat_desk import Desk, distance, open_desk, painted, window
from tests.waiting import until

pytestmark = needs_chromium

DEADLINE_S = 30
PANEL = "live-heat-map .panel"
Place = tuple[float, float]


@pytest.fixture
def desk() -> Iterator[tuple[Desk, str]]:
    with open_desk() as (desk, url):
        yield desk, url


def place_in(page: Page, selector: str, across: float = 0.5, down: float = 0.5) -> Place:
    """A place inside an element as the page is laid out and scrolled now."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def click_in(page: Page, selector: str, across: float = 0.5, down: float = 0.5) -> None:
    page.locator(selector).scroll_into_view_if_needed()
    page.mouse.click(*place_in(page, selector, across, down))


def visit(desk: Desk, url: str, *clicks: str, path: str = "/page/x", width: int = 1440) -> None:
    """One visitor, who clicks in the middle of these elements one after the other."""
    with window(url, width) as page:
        page.goto(f"{path}{'&' if '?' in path else '?'}tracker=1")
        before = taken(desk)
        for selector in clicks:
            click_in(page, selector)
        leave(page)
        until(lambda: answering(page) and taken(desk) >= before + len(clicks), DEADLINE_S)


def leave(page: Page) -> None:
    """Go, once a frame has seen the last click; a tracker then sends what it has."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.goto("about:blank")


def taken(desk: Desk) -> int:
    """Clicks that arrived, without those that are told again as rage or dead."""
    return sum(row[1] == 1 for batch in desk.batches for row in rows_of_clicks(batch.click))


def rows_of_clicks(packed: bytes) -> list[list[int]]:
    numbers = memoryview(packed).cast("i").tolist()
    return [numbers[i : i + 8] for i in range(0, len(numbers), 8)]


def answering(page: Page) -> bool:
    """Lets the browser's events through while waiting."""
    return bool(page.evaluate("true"))


def show(page: Page, path: str = "/page/x?overlay=1") -> None:
    page.goto(path)
    expect(page.locator(f"{PANEL} .dot[data-state=live]")).to_be_visible()


def only(page: Page, *layers: str) -> None:
    """Leave only these layers on."""
    for box in page.locator(f"{PANEL} .layer input").all():
        box.set_checked(box.get_attribute("value") in layers)


def until_painted(page: Page) -> Place:
    until(lambda: painted(page)[0] > 0, DEADLINE_S)
    return painted(page)[1:]


def test_a_click_is_painted_where_it_happened(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page)
        only(page, "click")

        assert distance(until_painted(page), place_in(page, "#start")) <= 2


def test_it_stays_on_its_element_at_another_width_and_below_new_content(
    desk: tuple[Desk, str],
) -> None:
    visit(*desk, "h2:text('Middle')")

    with window(desk[1], width=375) as page:
        show(page, "/page/x?overlay=1&inserted=1")
        page.get_by_title("Fold the legend").click()
        page.locator(f"{PANEL} select").nth(0).select_option("")
        only(page, "click")
        page.get_by_title("Fold the legend").click()
        page.locator("h2:text('Middle')").scroll_into_view_if_needed()

        until(lambda: painted(page)[0] > 0, DEADLINE_S)
        assert distance(until_painted(page), place_in(page, "h2:text('Middle')")) <= 3


def test_where_an_element_is_gone_the_pages_fraction_counts(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        page.goto("/page/x")
        where = place_in(page, "#start")
        page.add_style_tag(content="#start { visibility: hidden }")
        page.add_script_tag(url="/overlay.js")
        expect(page.locator(f"{PANEL} .dot[data-state=live]")).to_be_visible()
        only(page, "click")
        cell = (1440 / 64, page.evaluate("document.documentElement.scrollHeight") / 200)

        x, y = until_painted(page)

        assert abs(x - where[0]) <= cell[0] / 2 + 1
        assert abs(y - where[1]) <= cell[1] / 2 + 1


def test_what_something_covers_is_not_painted_over_it(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page)
        only(page, "click")
        until_painted(page)
        page.add_style_tag(content="#over { position: fixed; inset: 0; background: #fff }")
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('i'), {id: 'over'}))"
        )

        until(lambda: painted(page)[0] == 0, DEADLINE_S)


def test_what_scrolls_beneath_a_bar_is_not_painted_on_it(desk: tuple[Desk, str]) -> None:
    visit(*desk, "h1")

    with window(desk[1], height=500) as page:
        show(page)
        only(page, "click")
        until_painted(page)
        page.evaluate("scrollBy(0, document.querySelector('h1').getBoundingClientRect().top)")

        until(lambda: painted(page)[0] == 0, DEADLINE_S)


def test_the_picture_follows_what_scrolls(desk: tuple[Desk, str]) -> None:
    visit(*desk, "footer p")

    with window(desk[1], height=500) as page:
        show(page)
        only(page, "click")
        page.get_by_title("Fold the legend").click()
        page.locator("footer p").scroll_into_view_if_needed()

        until(lambda: painted(page)[0] > 0, DEADLINE_S)
        assert distance(until_painted(page), place_in(page, "footer p")) <= 2


def test_a_layer_that_is_switched_off_is_not_painted(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page)
        only(page, "click")
        until_painted(page)
        only(page)

        until(lambda: painted(page)[0] == 0, DEADLINE_S)


def test_new_clicks_come_without_asking_again(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page)
        only(page, "click")
        until_painted(page)
        visit_in_the_same_browser(page, desk, "aside")

        where = place_in(page, "aside")
        until(lambda: painted(page, *where, 30)[0] > 0, DEADLINE_S)


def visit_in_the_same_browser(page: Page, desk: tuple[Desk, str], selector: str) -> None:
    other = page.context.new_page()
    other.goto("/page/x?tracker=1")
    before = taken(desk[0])
    click_in(other, selector)
    leave(other)
    until(lambda: answering(other) and taken(desk[0]) > before, DEADLINE_S)
    other.close()


def test_the_legend_says_of_whom_and_switches(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start", width=375)

    with window(desk[1]) as page:
        show(page)
        expect(page.locator(f"{PANEL} .notes")).to_contain_text("like yours: 1,440 to 1,919 px")
        expect(page.locator(f"{PANEL} .status")).to_contain_text("Last 60 s · 0 visits")
        page.locator(f"{PANEL} select").nth(0).select_option("xs")

        expect(page.locator(f"{PANEL} .status")).to_contain_text("1 visit ")
        expect(page.locator(f"{PANEL} .notes")).to_contain_text("Not only of windows like yours")


def test_the_legend_warns_of_another_version(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page, "/page/x?overlay=1&inserted=1")

        expect(page.locator(f"{PANEL} .notes")).to_contain_text("You see version b")


def test_two_versions_are_shown_as_a_difference(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")
    visit(*desk, "aside", path="/page/x?inserted=1")

    with window(desk[1]) as page:
        show(page)
        only(page, "click")
        expect(page.locator(f"{PANEL} select").nth(3)).to_be_enabled()
        page.locator(f"{PANEL} select").nth(2).select_option("a")
        page.locator(f"{PANEL} select").nth(3).select_option("b")

        expect(page.locator(f"{PANEL} .status")).to_contain_text("1 visit against 1")
        until(lambda: is_bluish(page, "#start") and is_orange(page, "aside"), DEADLINE_S)


COLOUR = """([x, y]) => {
  const { shadowRoot } = document.querySelector('live-heat-map');
  const canvas = shadowRoot.querySelector('canvas.points');
  const cell = canvas.getBoundingClientRect().width / canvas.width;
  const [column, row] = [Math.floor(x / cell), Math.floor(y / cell)];
  return [...canvas.getContext('2d').getImageData(column, row, 1, 1).data];
}"""


def is_bluish(page: Page, selector: str) -> bool:
    red, _, blue, alpha = page.evaluate(COLOUR, place_in(page, selector))
    return bool(alpha and blue > red)


def is_orange(page: Page, selector: str) -> bool:
    red, _, blue, alpha = page.evaluate(COLOUR, place_in(page, selector))
    return bool(alpha and red > blue)


def test_it_says_away_when_nothing_answers_and_comes_back(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page)
        desk[0].heat.is_away = True
        expect(page.get_by_role("alert")).to_contain_text("Away")
        desk[0].heat.is_away = False

        expect(page.locator(f"{PANEL} .dot[data-state=live]")).to_be_visible()


def test_the_tracker_does_not_count_the_overlay(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page, "/page/x?tracker=1&overlay=1")
        before = taken(desk[0])
        page.locator(f"{PANEL} .layer input").first.click()
        page.locator("live-heat-map .strip").click(position={"x": 10, "y": 300})
        click_in(page, "h1")

        until(lambda: answering(page) and taken(desk[0]) > before, DEADLINE_S)
        assert taken(desk[0]) == before + 1


def test_looking_back_shows_what_was_and_not_what_is(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page)
        only(page, "click")
        until_painted(page)
        page.get_by_label("Look back over the last hour").press("PageDown")

        until(lambda: painted(page)[0] == 0, DEADLINE_S)
        expect(page.locator(f"{PANEL} output")).to_contain_text("min")


def test_a_second_press_of_the_bookmark_takes_it_off(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start")

    with window(desk[1]) as page:
        show(page)
        page.add_script_tag(url="/overlay.js")

        expect(page.locator("live-heat-map")).to_have_count(0)


def test_the_dashboard_shows_a_page_and_opens_it(desk: tuple[Desk, str]) -> None:
    visit(*desk, "#start", "#start")

    with window(desk[1]) as page:
        page.goto("/?site=demo&page=/page/x")

        expect(page.locator("#top-click li").first).to_contain_text("#start")
        expect(page.locator("#top-click li b").first).to_have_text("2")
        expect(page.locator("#summary")).to_contain_text("1 visit")
        expect(page.locator("nav a[aria-current=page]")).to_contain_text("/page/x")
        expect(page.locator("#open")).to_have_attribute("href", "/page/x?heat")


def test_the_dial_asks_for_more_visitors(desk: tuple[Desk, str]) -> None:
    with window(desk[1]) as page:
        page.goto("/")
        expect(page.locator("#dial-now")).to_have_text("60")
        page.locator("#dial").fill("120")

        until(lambda: answering(page) and desk[0].heat.per_minute == 120, DEADLINE_S)
