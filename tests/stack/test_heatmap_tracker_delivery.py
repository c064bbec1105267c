"""The tracker in a real browser: its batches arrive once, whatever happens on the way."""

from playwright.sync_api import Browser

from tests.stack.browser import needs_chromium
from tests.stack.readers import (
    CAN_HIDE,
    DEADLINE_S,
    answering,
    come,
    leave,
    press,
    reader,
    settle,
    shown_ms,
    turn_away,
    turn_back,
)
from tests.stack.recorder import Recorder
from tests.waiting import until

pytestmark = needs_chromium


def test_a_batch_that_was_not_taken_comes_again_under_its_name(
    browser: Browser, recorder: Recorder
) -> None:
    recorder.status = 503
    with reader(browser, recorder, before=CAN_HIDE) as page:
        press(page, "#buy")
        turn_away(page)
        come(page, recorder, 1)
        recorder.status = 200
        come(page, recorder, 2)

    first, second = recorder.posts
    assert first.name == second.name
    assert first.body["click"] == second.body["click"]
    assert second.body["age"] > first.body["age"]


def test_the_collector_says_when_to_try_again(browser: Browser, recorder: Recorder) -> None:
    recorder.status, recorder.retry_after = 429, "3"
    with reader(browser, recorder, before=CAN_HIDE) as page:
        turn_away(page)
        come(page, recorder, 1)
        recorder.status = 200
        come(page, recorder, 2)

    assert recorder.posts[1].body["age"] - recorder.posts[0].body["age"] >= 3000
    assert recorder.posts[0].name == recorder.posts[1].name


def test_what_was_refused_is_not_sent_again(browser: Browser, recorder: Recorder) -> None:
    recorder.status = 422
    with reader(browser, recorder, before=CAN_HIDE) as page:
        turn_away(page)
        come(page, recorder, 1)
        recorder.status = 200
        turn_back(page)
        settle(page)
        leave(page, recorder)

    assert [post.body["n"] for post in recorder.posts] == [0, 1]


def test_what_happens_offline_is_told_when_online_again(
    browser: Browser, recorder: Recorder
) -> None:
    with reader(browser, recorder, before=CAN_HIDE) as page:
        page.context.set_offline(True)
        press(page, "#buy")
        turn_away(page)
        page.wait_for_timeout(300)
        assert recorder.posts == []
        page.context.set_offline(False)
        come(page, recorder, 1)

    assert [row[4] for row in recorder.clicks()] == ["#buy"]


def test_nothing_is_lost_when_the_page_is_loaded_again_while_the_collector_is_away(
    browser: Browser, recorder: Recorder
) -> None:
    recorder.status = 0
    with reader(browser, recorder) as page:
        press(page, "#buy")
        page.reload()
        settle(page)
        press(page, "#dead")
        page.reload()
        settle(page)
        tried = {post.name: post.body.get("click") for post in recorder.posts}
        recorder.posts.clear()
        recorder.status = 200
        page.evaluate("dispatchEvent(new Event('online'))")
        until(lambda: answering(page) and len(recorder.clicks()) == 2, DEADLINE_S)

    assert [row[4] for row in recorder.clicks()] == ["#buy", "#dead"]
    again = {post.name: post.body.get("click") for post in recorder.posts if post.name in tried}
    assert again.items() <= tried.items()
    assert all(post.body["age"] < 60_000 for post in recorder.posts)


def test_at_most_fifty_batches_wait(browser: Browser, recorder: Recorder) -> None:
    recorder.status = 503
    recorder.retry_after = "600"
    with reader(browser, recorder, before=CAN_HIDE) as page:
        for _ in range(60):
            page.evaluate("document.getElementById('buy').click()")
            settle(page)
            turn_away(page)
            turn_back(page)
        waiting = page.evaluate(
            "Object.keys(localStorage).flatMap(name => JSON.parse(localStorage[name]))"
        )

    assert [batch["n"] for batch in waiting] == list(range(10, 60))


def test_a_batch_never_has_more_events_than_are_taken(browser: Browser, recorder: Recorder) -> None:
    with reader(browser, recorder) as page:
        page.evaluate("for (let i = 0; i < 700; i += 1) document.getElementById('alive').click()")
        leave(page, recorder)

    assert len(recorder.clicks()) == 700
    assert max(len(post.body.get("click", [])) / 8 for post in recorder.posts) <= 500


def test_a_watched_page_sends_clicks_without_waiting(browser: Browser, recorder: Recorder) -> None:
    recorder.reply = {"flush_ms": 60_000, "watched": True}
    with reader(browser, recorder, before=CAN_HIDE) as page:
        turn_away(page)
        come(page, recorder, 1)
        turn_back(page)
        settle(page)
        press(page, "#buy")
        come(page, recorder, 2)

    click = recorder.posts[1]
    assert [row[4] for row in recorder.clicks()] == ["#buy"]
    assert click.body["at"] == [0, 1000]


def test_the_collector_sets_the_pace(browser: Browser, recorder: Recorder) -> None:
    recorder.reply["flush_ms"] = 300
    with reader(browser, recorder) as page:
        come(page, recorder, 4)

    first, *others = recorder.posts[:4]
    assert shown_ms([first]) >= 4900
    assert all(post.body["at"] == [0, 1000] for post in (first, *others))
    assert all(len(post.segments()) == 1 for post in others)
