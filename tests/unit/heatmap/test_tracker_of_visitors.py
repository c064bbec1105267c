"""A simulated visitor's tracker, on a clock that the test turns."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import httpx2

from services.heatmap.visiting.crowd import Crowd
from services.heatmap.visiting.outside import popular_items, poster
from services.heatmap.visiting.pages import choices
from services.heatmap.visiting.people import Visitor
from services.heatmap.visiting.tracker import PATIENCE_MS, Reply, Tracker
from services.heatmap.visiting.visits import Visit


@dataclass
class Turned:
    """A clock that goes on only when somebody sleeps."""

    ms: float = 1_000_000

    def now_ms(self) -> int:
        return round(self.ms)

    async def sleep(self, seconds: float) -> None:
        self.ms += seconds * 1000


@dataclass
class Collector:
    """Answers with `replies`, then with the last of them; keeps what came and when."""

    clock: Turned
    replies: list[Reply]
    came: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    async def post(self, _: Visitor, body: bytes) -> Reply:
        self.came.append((self.clock.now_ms(), json.loads(body)))
        return self.replies[min(len(self.came), len(self.replies)) - 1]


def long_visit(*, clicked: bool = False) -> Visit:
    people = Crowd(4, choices([]))
    found = (people.next_visit() for _ in range(1_000))
    return next(v for v in found if v.ends_ms > 20_000 and (v.click or not clicked))


def follow(
    visit: Visit, *replies: Reply, since_ms: int = 0
) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """What the collector got, in milliseconds since the page was opened, and the outcomes."""
    clock, outcomes = Turned(), list[str]()
    opened_ms = clock.now_ms() - since_ms
    collector = Collector(clock, list(replies))
    tracker = Tracker(visit, since_ms, collector.post, clock, outcomes.append)
    asyncio.run(tracker.follow())
    return [(at_ms - opened_ms, body) for at_ms, body in collector.came], outcomes


def shown_ms(body: dict[str, Any]) -> int:
    return sum(body.get("view", [])[1::4])


def test_batches_leave_when_the_last_reply_said() -> None:
    visit = long_visit()

    sent, outcomes = follow(visit, Reply(200, flush_ms=2_000))

    assert [at_ms for at_ms, _ in sent[:3]] == [5_000, 7_000, 9_000]
    assert set(outcomes) == {"kept"}


def test_the_numbers_go_up_by_one_and_the_last_batch_says_bye() -> None:
    visit = long_visit()

    sent, _ = follow(visit, Reply(200))

    assert [body["n"] for _, body in sent] == list(range(len(sent)))
    assert [body.get("bye") for _, body in sent] == [None] * (len(sent) - 1) + [1]
    assert sent[-1][0] == visit.ends_ms


def test_nothing_is_sent_twice_or_left_out() -> None:
    visit = long_visit()

    sent, _ = follow(visit, Reply(200, flush_ms=700))

    assert sum(shown_ms(body) for _, body in sent) == sum(s.duration_ms for s in visit.view)


def test_a_batch_that_was_not_taken_is_sent_again_with_its_number_and_a_greater_age() -> None:
    sent, outcomes = follow(long_visit(), Reply(0), Reply(503), Reply(200))

    first, second, third = (body for _, body in sent[:3])
    assert first["n"] == second["n"] == third["n"] == 0
    assert first["age"] < second["age"] < third["age"]
    assert first["view"] == second["view"] == third["view"]
    assert outcomes[:3] == ["again", "again", "kept"]


def test_who_is_told_to_wait_waits_so_long() -> None:
    sent, _ = follow(long_visit(), Reply(429, retry_after_s=7), Reply(200))

    assert sent[1][0] - sent[0][0] == 7_000


def test_a_batch_that_is_refused_is_dropped_and_the_visit_goes_on() -> None:
    sent, outcomes = follow(long_visit(), Reply(422), Reply(200))

    assert [body["n"] for _, body in sent[:2]] == [0, 1]
    assert outcomes[:2] == ["refused", "kept"]


def test_a_collector_that_stays_away_is_given_up_some_time_after_the_visit() -> None:
    visit = long_visit()

    sent, outcomes = follow(visit, Reply(0))

    assert outcomes[-1] == "lost"
    assert sent[-1][0] < visit.ends_ms + 2 * PATIENCE_MS + 60_000


def test_a_click_leaves_within_a_tenth_of_a_second_while_somebody_watches() -> None:
    visit = long_visit(clicked=True)

    sent, _ = follow(visit, Reply(200, flush_ms=1_000, watched=True))

    waits_ms = [
        at_ms - (at_ms - body["age"] + row_ms)
        for at_ms, body in sent[1:]
        for row_ms in body.get("click", [])[::8]
    ]
    assert all(wait_ms <= 100 for wait_ms in waits_ms)


def test_who_is_here_already_says_at_once_what_happened_so_far() -> None:
    visit = long_visit()

    sent, _ = follow(visit, Reply(200), since_ms=17_000)

    at_ms, body = sent[0]
    assert at_ms == 17_000
    assert shown_ms(body) == sum(
        min(s.duration_ms, max(0, 17_000 - s.start_ms)) for s in visit.view
    )


def test_a_post_is_what_a_browser_behind_a_proxy_sends() -> None:
    visitor = long_visit().visitor
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"flush_ms": 1_000, "watched": True})

    async def send() -> Reply:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
            return await poster(client, "http://there/collect")(visitor, b"{}")

    assert asyncio.run(send()) == Reply(200, 1_000, watched=True)
    (request,) = asked
    assert request.headers["User-Agent"] == visitor.agent
    assert request.headers["X-Forwarded-For"] == visitor.address
    assert request.headers["Content-Type"].startswith("text/plain")


def test_without_a_shop_there_are_no_items() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    async def ask(answer: Any) -> list[str]:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
            return await popular_items(client, "http://shop")

    assert asyncio.run(ask(refuse)) == []
    assert asyncio.run(ask(lambda _: httpx2.Response(503))) == []
    found = {"items": [{"item_id": "22423"}]}
    assert asyncio.run(ask(lambda _: httpx2.Response(200, json=found))) == ["22423"]
