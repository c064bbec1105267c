"""The tracker in a real browser: what was seen for how long, and whom it says nothing of."""

from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from services.recommender.api import build
from tests.stack.browser import needs_chromium
from tests.stack.readers import (
    CAN_BLUR,
    CAN_HIDE,
    DEADLINE_S,
    DOCUMENT,
    HEIGHT,
    SCRIPT,
    WIDTH,
    answering,
    come,
    document,
    leave,
    press,
    reader,
    settle,
    shown_ms,
    turn_away,
    turn_back,
)
from tests.stack.recorder import Recorder, rows
from tests.stack.shop import running
from tests.unit.recommender.fake_shop import FakeShop
from tests.waiting import until

pytestmark = needs_chromium


def test_a_still_reader_is_one_band_for_the_time_it_was_shown(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        began_ms = page.evaluate("performance.now()")
        page.wait_for_timeout(700)
        ended_ms = page.evaluate("performance.now()")
        leave(page, recorder)

    (post,) = recorder.taken()
    (segment,) = post.segments()
    assert segment[2:] == [0, DOCUMENT // HEIGHT * 100]
    assert segment[1] >= ended_ms - began_ms - 1
    assert post.body["reach"][1:] == [-1, 1000]
    assert post.body["bye"] == 1
    assert "at" not in post.body


WATCH = """() => {
  window.seen = [];
  const note = () => {
    seen.push([performance.now(), scrollY]);
    requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
}"""


def test_each_row_of_a_page_that_moves_gets_the_time_it_was_on_screen(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        page.evaluate(WATCH)
        for y in (300, 320, 900, 905, 2600, 2200, 7200, 0):
            page.evaluate(f"scrollTo(0, {y})")
            page.wait_for_timeout(90)
        seen = page.evaluate("seen")
        leave(page, recorder)

    told = [0.0] * 200
    for post in recorder.taken():
        for _, duration, top, bottom in post.segments():
            for row in range(top // 50, -(-bottom // 50)):
                told[row] += duration
    truth = [0.0] * 200
    gaps = [after[0] - before[0] for before, after in pairwise(seen)]
    for (_, y), gap_ms in zip(seen, gaps, strict=False):
        for row in range(int(y // 40), min(200, int(-(-(y + HEIGHT) // 40)))):
            truth[row] += gap_ms
    # A band begins and ends with a frame; the first rows also have the time before and after.
    slack_ms = 4 * max(gaps) + 5
    for row in range(45, 200):
        assert abs(told[row] - truth[row]) <= slack_ms, row
    assert all(told[row] >= truth[row] - slack_ms for row in range(45))


def test_scrolling_less_than_a_row_is_still_the_same_band(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        for y in (10, 20, 30, 39):
            page.evaluate(f"scrollTo(0, {y})")
            settle(page)
        leave(page, recorder)

    assert len(recorder.taken()[0].segments()) == 1


def test_a_hidden_page_sends_at_once_and_is_not_seen(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder, before=CAN_HIDE) as page:
        page.wait_for_timeout(100)
        turn_away(page)
        come(page, recorder, 1)
        page.wait_for_timeout(1500)
        turn_back(page)
        settle(page)
        began_ms = page.evaluate("performance.now()")
        page.wait_for_timeout(100)
        life_ms = page.evaluate("performance.now()")
        leave(page, recorder)

    first, second = recorder.taken()
    assert "at" not in first.body
    assert shown_ms([first]) + 1500 <= life_ms
    assert shown_ms([second]) >= life_ms - began_ms - 1
    assert shown_ms([first, second]) <= life_ms - 1400 + 1000
    assert sum(row[0] for row in rows(second.body, "view", 4)) < 1000


def test_a_page_without_the_focus_is_not_seen(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder, before=CAN_BLUR) as page:
        page.evaluate("elsewhere = true; dispatchEvent(new Event('blur'))")
        settle(page)
        page.wait_for_timeout(1200)
        page.evaluate("elsewhere = false; dispatchEvent(new Event('focus'))")
        settle(page)
        page.wait_for_timeout(100)
        leave(page, recorder)

    (post,) = recorder.taken()
    before, after = post.segments()
    assert after[0] - (before[0] + before[1]) >= 1100


def test_a_page_in_a_scroller_of_its_own_is_measured_in_that(
    browser: Browser, recorder: Recorder
) -> None:
    scroller = (
        "<div data-heat-scroll style='height: 100vh; overflow: auto'>"
        "<div style='height: 4000px'><button id='far' style='margin-top: 2400px'>Far</button></div>"
        "</div>"
    )
    recorder.pages["/page"] = document(body=scroller)
    with reader(browser, recorder) as page:
        page.evaluate("document.querySelector('[data-heat-scroll]').scrollTop = 2000")
        settle(page)
        press(page, "#far")
        leave(page, recorder)

    (post,) = recorder.taken()
    assert post.body["dh"] == 4000
    assert post.segments()[-1][2:] == [5000, 7000]
    assert 6000 <= recorder.clicks()[0][3] <= 6060


def test_another_path_without_a_load_is_another_visit(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        press(page, "#buy")
        page.evaluate("history.pushState(null, '', '/item/1?x=1')")
        settle(page)
        page.evaluate("history.replaceState(null, '', '/item/1?x=2')")
        press(page, "#dead")
        page.go_back()
        settle(page)
        leave(page, recorder)

    first, second, third = recorder.taken()
    assert [post.body["page"] for post in (first, second, third)] == ["/page", "/item/1", "/page"]
    assert len({post.body["id"] for post in (first, second, third)}) == 3
    assert [post.body["n"] for post in (first, second, third)] == [0, 0, 0]
    assert [post.body["bye"] for post in (first, second, third)] == [1, 1, 1]
    assert [row[4] for row in recorder.clicks()] == ["#buy", "#dead"]
    assert all(post.body["reach"][1] == -1 for post in (first, second, third))


def test_each_item_of_the_shop_is_a_page_of_its_own(browser: Browser, recorder: Recorder) -> None:
    port = urlsplit(recorder.url).port
    with running(build(FakeShop(), {}, tracker_port=port)) as shop:
        context = browser.new_context(base_url=shop)
        page = context.new_page()
        page.goto("/")
        page.locator("#shop-items a.name").click(delay=60)
        expect(page.locator("#product-title")).to_have_text("Red mug")
        settle(page)
        page.locator("a.brand").click(delay=60)
        expect(page.locator("#product")).to_be_hidden()
        settle(page)
        page.goto("about:blank")
        until(lambda: answering(page) and len(recorder.taken()) == 3, DEADLINE_S)
        context.close()

    bodies = [post.body for post in recorder.taken()]
    assert [body["page"] for body in bodies] == ["/", "/items/mug", "/"]
    assert len({body["id"] for body in bodies}) == 3
    assert {body["site"] for body in bodies} == {"shop"}
    assert [row[4] for row in recorder.clicks()] == ["[data-item=mug]>a", "html>body>header>a>span"]


def test_a_page_that_comes_back_from_the_cache_is_another_visit(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        come(page, recorder, 1)
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        settle(page)
        leave(page, recorder)
        come(page, recorder, 2)

    first, second = recorder.taken()
    assert first.body["id"] != second.body["id"]
    assert second.body["n"] == 0


@pytest.mark.parametrize(
    "wish", ["globalPrivacyControl', { get: () => true", "doNotTrack', { get: () => '1'"]
)
def test_who_does_not_want_to_be_tracked_is_not(
    browser: Browser, recorder: Recorder, wish: str
) -> None:
    with reader(browser, recorder, before=f"Object.defineProperty(navigator, '{wish} }})") as page:
        press(page, "#buy")
        page.goto("/page?heat-staff=1")
        press(page, "#buy")
        page.goto("about:blank")
        page.wait_for_timeout(300)
        page.goto("/other")
        kept = page.evaluate("localStorage.length")

    assert kept == 0
    assert recorder.posts == []


def test_no_cookie_is_set_or_sent_and_the_address_is_cut_to_its_path(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder, "/page?token=secret#part") as page:
        page.context.add_cookies([{"name": "session", "value": "s", "url": recorder.url}])
        press(page, "#buy")
        leave(page, recorder)
        cookies = page.context.cookies()

    (post,) = recorder.taken()
    assert [cookie["name"] for cookie in cookies] == ["session"]
    assert "Cookie" not in post.headers
    assert post.body["page"] == "/page"
    assert "secret" not in str(post.body)


def test_staff_marks_itself_once(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder, "/page?heat-staff=1") as page:
        for path in ("/page", "/page?heat-staff=0", "/page"):
            page.goto(path)
            settle(page)
        leave(page, recorder)
        come(page, recorder, 4)

    assert [post.body.get("flags", 0) for post in recorder.taken()] == [2, 2, 0, 0]


def test_a_driven_browser_says_so(browser: Browser, recorder: Recorder) -> None:
    driven = "Object.defineProperty(navigator, 'webdriver', { get: () => true })"
    with reader(browser, recorder, before=driven) as page:
        leave(page, recorder)

    assert recorder.taken()[0].body["flags"] == 1


@pytest.mark.parametrize(
    ("head", "script", "version"),
    [
        ("", SCRIPT, None),
        ('<meta name="heat-version" content="b">', SCRIPT, "b"),
        (
            '<meta name="heat-version" content="b">',
            SCRIPT.replace("async", 'data-version="c"'),
            "c",
        ),
    ],
)
def test_a_page_says_which_version_it_is(
    browser: Browser, recorder: Recorder, head: str, script: str, version: str | None
) -> None:
    recorder.pages["/page"] = document(script, head=head)
    with reader(browser, recorder) as page:
        leave(page, recorder)

    assert recorder.taken()[0].body.get("ver") == version


def test_another_width_begins_another_batch(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        page.set_viewport_size({"width": 400, "height": HEIGHT})
        settle(page)
        leave(page, recorder)

    assert [post.body["w"] for post in recorder.taken()] == [WIDTH, 400]
