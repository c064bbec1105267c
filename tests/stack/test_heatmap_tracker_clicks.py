"""The tracker in a real browser: where clicks and the pointer were."""

from itertools import pairwise

from playwright.sync_api import Browser

from tests.stack.browser import needs_chromium
from tests.stack.readers import (
    DEADLINE_S,
    DOCUMENT,
    answering,
    come,
    document,
    leave,
    press,
    reader,
    settle,
)
from tests.stack.recorder import Recorder, rows
from tests.waiting import until

pytestmark = needs_chromium


def test_a_click_is_a_place_in_its_element_and_on_the_page(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        press(page, "#buy", position={"x": 50, "y": 75})
        leave(page, recorder)

    ((_, _, x, y, element, p, q, flags),) = recorder.clicks()
    assert (element, p, q, flags) == ("#buy", 256, 768, 0)
    assert (x, y) == (150 * 10, 175 * 10_000 // DOCUMENT)


def test_a_click_that_removes_its_element_is_still_placed_in_it(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        page.evaluate("() => { document.getElementById('buy').onclick = (e) => e.target.remove() }")
        press(page, "#buy", position={"x": 50, "y": 75})
        leave(page, recorder)

    assert recorder.clicks()[0][4:7] == ["#buy", 256, 768]


def test_a_click_on_a_link_arrives_though_the_page_goes(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        press(page, "#away")
        page.wait_for_url("**/other")
        come(page, recorder, 1)

    assert recorder.clicks()[0][4] == "#away"
    assert recorder.posts[0].body["bye"] == 1


def test_clicks_on_nothing_have_no_element(browser: Browser, recorder: Recorder) -> None:
    recorder.pages["/page"] = document(body="<div style='height: 100px'></div>")
    with reader(browser, recorder) as page:
        page.mouse.click(500, 600)
        leave(page, recorder)

    assert [row[4] for row in recorder.clicks()] == [None]


def test_elements_without_a_name_are_named_by_their_place(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        press(page, "p[data-name]")
        for name in ("one", "two", "three"):
            press(page, f"li >> text={name}")
        leave(page, recorder)

    named = [row[4] for row in recorder.clicks()]
    place = "html>body>main>ul>li"
    assert named == [
        "[data-name=words]",
        place,
        f"{place}:nth-of-type(2)",
        f"{place}:nth-of-type(3)",
    ]


def test_every_selector_finds_the_element_it_was_made_of(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        selectors = ["#buy", "p[data-name]", "li:nth-of-type(2)", "#inner p", "#menu"]
        for selector in selectors:
            press(page, selector)
        found = page.evaluate("all => all.map(s => document.querySelector(s).outerHTML)", selectors)
        settle(page)
        page.evaluate("window.dispatchEvent(new Event('pagehide'))")
        come(page, recorder, 1)
        named = [row[4] for row in recorder.clicks()]
        assert found == page.evaluate(
            "all => all.map(s => document.querySelector(s).outerHTML)", named
        )


def test_clicks_on_what_stays_are_flagged(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        page.evaluate("scrollTo(0, 4000)")
        settle(page)
        press(page, "#menu")
        leave(page, recorder)

    (row,) = recorder.clicks()
    assert (row[4], row[7]) == ("#menu", 1)
    assert row[3] >= 5000


def test_what_an_inner_scroller_shows_is_placed_inside_it(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        page.evaluate("document.getElementById('inner').scrollTop = 500")
        settle(page)
        press(page, "#inner", position={"x": 50, "y": 50})
        leave(page, recorder)

    assert recorder.clicks()[0][4:7] == ["#inner>p", recorder.clicks()[0][5], 550 * 1024 // 1000]


def test_an_element_in_a_shadow_tree_is_named_through_its_host(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        press(page, "#host button >> nth=1", position={"x": 1, "y": 25})
        leave(page, recorder)

    assert recorder.clicks()[0][4] == "#host>>>div>button:nth-of-type(2)"
    assert recorder.clicks()[0][6] == 512


def test_the_keyboard_clicks_the_middle(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        page.locator("#buy").press("Enter")
        leave(page, recorder)

    ((_, _, x, y, element, p, q, flags),) = recorder.clicks()
    assert (element, p, q, flags) == ("#buy", 512, 512, 4)
    assert (x, y) == (200 * 10, 150 * 10_000 // DOCUMENT)


def test_a_click_that_a_script_made_is_flagged(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        page.evaluate("document.getElementById('buy').click()")
        leave(page, recorder)

    assert recorder.clicks()[0][7] & 2


def test_a_click_on_a_label_is_one_click(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        press(page, "label", position={"x": 150, "y": 10})
        assert page.locator("#box").is_checked()
        leave(page, recorder)

    assert [row[4] for row in recorder.clicks()] == ["html>body>main>label"]


def test_ignored_parts_are_not_noted(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        press(page, "#secret")
        page.evaluate("new Promise(done => setTimeout(done, 300))")
        page.mouse.move(130, 930)
        page.evaluate("new Promise(done => setTimeout(done, 300))")
        leave(page, recorder)

    (post,) = recorder.taken()
    assert "click" not in post.body
    assert "els" not in post.body
    assert not any(y > 1000 for _, _, y in rows(post.body, "move", 3))


def test_the_pointer_is_sampled_rarely_and_only_where_it_moved(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        for x in range(100, 800, 10):
            page.mouse.move(x, 200)
        page.mouse.move(801, 201)
        page.evaluate("new Promise(done => setTimeout(done, 300))")
        page.mouse.move(802, 202)
        page.evaluate("new Promise(done => setTimeout(done, 300))")
        page.mouse.move(803, 203)
        leave(page, recorder)

    samples = [row for post in recorder.taken() for row in rows(post.body, "move", 3)]
    assert samples
    assert all(gap >= 249 for gap, _, _ in samples[1:])
    cells = [(x * 64 // 10_000, y * 200 // 10_000) for _, x, y in samples]
    assert all(before != after for before, after in pairwise(cells))


def test_where_the_pointer_rests_is_told_though_it_moves_no_more(
    browser: Browser, recorder: Recorder
) -> None:
    recorder.reply["flush_ms"] = 1000
    with reader(browser, recorder) as page:
        page.mouse.move(100, 200)
        page.mouse.move(500, 400)
        until(
            lambda: answering(page)
            and any(row[1:] == [5000, 500] for post in recorder.posts
                    for row in rows(post.body, "move", 3)),
            DEADLINE_S,
        )  # fmt: skip
