"""The tracker in a real browser: which clicks are rage, and which are dead."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.stack.browser import needs_chromium
from tests.stack.readers import (
    leave,
    press,
    reader,
    settle,
)
from tests.stack.recorder import Recorder

pytestmark = needs_chromium


# A machine that is slow must not make three clicks take longer than a second of the page's time.
SLOW_CLOCK = """
  const real = performance.now.bind(performance);
  performance.now = () => real() / 10;
"""


def test_three_clicks_at_one_place_are_rage(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder, before=SLOW_CLOCK) as page:
        page.locator("#buy").click(click_count=3)
        leave(page, recorder)

    assert len(recorder.clicks()) == 3
    (rage,) = recorder.clicks(2)
    assert rage[2:] == recorder.clicks()[2][2:]


def test_three_clicks_at_different_places_are_none(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder, before=SLOW_CLOCK) as page:
        for x in (20, 60, 100):
            page.locator("#buy").click(position={"x": x, "y": 50})
        leave(page, recorder)

    assert recorder.clicks(2) == []


def test_three_slow_clicks_are_none(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        for _ in range(3):
            page.locator("#buy").click()
            page.wait_for_timeout(550)
        leave(page, recorder)

    assert recorder.clicks(2) == []


def dead_after(page: Page, recorder: Recorder) -> list[list[Any]]:
    """The dead clicks once the time for an answer is over by far, by the page's own clock."""
    page.evaluate("new Promise(done => setTimeout(done, 2600))")
    leave(page, recorder)
    return recorder.clicks(3)


def test_a_click_that_nothing_answers_is_dead(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        press(page, "#dead")
        (dead,) = dead_after(page, recorder)

    assert dead[2:] == recorder.clicks()[0][2:]
    assert dead[4] == "#dead"


def test_the_next_click_is_no_answer_to_the_one_before(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder) as page:
        press(page, "#dead")
        press(page, "p[data-name]")
        press(page, "#buy")

        assert dead_after(page, recorder)[0][4] == "#dead"


@pytest.mark.parametrize(
    "answer",
    [
        "target.textContent = 'changed'",
        "target.classList.add('open')",
        "scrollBy(0, 100)",
        "document.getElementById('box').focus()",
        "history.pushState(null, '', '?tab=2')",
        "getSelection().selectAllChildren(target)",
        "setTimeout(() => target.remove(), 1000)",
    ],
)
def test_a_click_that_something_answers_is_not_dead(
    browser: Browser, recorder: Recorder, answer: str
) -> None:
    with reader(browser, recorder) as page:
        page.evaluate(
            "(answer) => { const target = document.getElementById('dead');"
            " target.onclick = () => Function('target', answer)(target) }",
            answer,
        )
        press(page, "#dead")

        assert dead_after(page, recorder) == []
        assert len(recorder.clicks()) == 1


def test_fields_links_and_selected_text_are_not_dead(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        page.evaluate("() => { document.getElementById('away').onclick = () => false }")
        press(page, "#away")
        page.evaluate("scrollTo(0, 0)")
        page.mouse.move(105, 710)
        page.mouse.down()
        page.mouse.move(200, 710, steps=4)
        settle(page)
        page.mouse.up()

        assert dead_after(page, recorder) == []
        assert len(recorder.clicks()) == 2
