import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from services.heatmap import live
from services.heatmap.asking import Asked, Presence
from services.heatmap.cursors import Cursor, read_cursor, stream_id
from services.heatmap.grid import ROWS, Layer, Variant
from services.heatmap.live import RESUMABLE, BusyError, Streams
from tests.unit.heatmap.fake_heat import FakeHeat, clicks, entry

ASKED = Asked("demo", "/article")
PHONE = Variant("demo", "xs", "human", "a", "/article")
BOT = Variant("demo", "l", "bot", "a", "/article")


@dataclass
class Event:
    kind: str
    id: str | None
    data: dict[str, Any]

    def count(self, layer: str) -> dict[int, int]:
        """The counts of a layer by cell, all buckets together."""
        found: dict[int, int] = {}
        for part in self.data.get("buckets", {}).values():
            for cell, n in part.get("layers", {}).get(layer, ()):
                found[cell] = found.get(cell, 0) + n
        return found


def parsed(block: bytes) -> Event | None:
    """The event of a block; None of a comment or the retry line."""
    fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if line)
    if "event" not in fields:
        return None
    return Event(fields["event"], fields.get("id"), json.loads(fields["data"]))


class Reader:
    """Reads events of one stream; the stream waits for it, as it does for a slow connection."""

    def __init__(self, heat: FakeHeat, asked: Asked = ASKED, after: str | None = None) -> None:
        self.streams = Streams(heat, tick_s=0.001)
        self.stopping = False
        self.events: AsyncIterator[bytes] = self.streams.events(asked, after, lambda: self.stopping)

    async def next(self) -> Event:
        async with asyncio.timeout(20):
            while True:
                event = parsed(await anext(self.events))
                if event:
                    return event


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("K_TICK_S", "AWAY_RETRY_S", "VARIANTS_EVERY_S", "WATCH_EVERY_S"):
        monkeypatch.setattr(live, name, 0.001)


@pytest.fixture
def heat() -> FakeHeat:
    heat = FakeHeat()
    heat.add(now_ms(), clicks(100, 3))
    return heat


def now_ms() -> int:
    return int(time.time() * 1000)


def running(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_it_begins_with_what_the_last_minute_held(heat: FakeHeat) -> None:
    async def scenario() -> None:
        heat.add(now_ms() - 3_600_000, clicks(5, 1))
        first = await Reader(heat).next()

        assert (first.kind, first.count("click")) == ("snapshot", {100: 3})

    running(scenario)


def test_then_it_sends_what_was_added_and_only_that(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.add(now_ms(), clicks(7, 2))
        second = await reader.next()
        heat.add(now_ms() - 20_000, clicks(8, 1))
        third = await reader.next()

        assert (second.kind, second.count("click")) == ("delta", {7: 2})
        assert (third.kind, third.count("click")) == ("delta", {8: 1})

    running(scenario)


def test_a_kind_of_visits_that_is_new_is_seen(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.add(now_ms(), clicks(9, 1), PHONE)

        assert (await reader.next()).count("click") == {9: 1}

    running(scenario)


def test_filters_keep_other_visits_out(heat: FakeHeat) -> None:
    async def scenario() -> None:
        heat.add(now_ms(), clicks(9, 1), PHONE)
        heat.add(now_ms(), clicks(8, 1), BOT)

        of_people = await Reader(heat).next()
        of_phones = await Reader(heat, Asked("demo", "/article", view_class="xs")).next()
        of_bots = await Reader(heat, Asked("demo", "/article", audience="bot")).next()

        assert of_people.count("click") == {100: 3, 9: 1}
        assert of_phones.count("click") == {9: 1}
        assert of_bots.count("click") == {8: 1}

    running(scenario)


def test_a_slow_reader_gets_one_large_delta_for_many_changes(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        for cell in range(50):
            heat.add(now_ms(), clicks(cell, 1))
            await asyncio.sleep(0)

        assert (await reader.next()).count("click") == dict.fromkeys(range(50), 1)

    running(scenario)


def test_a_break_costs_nothing_and_doubles_nothing(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.add(now_ms(), clicks(1, 1))
        last = await reader.next()
        heat.add(now_ms(), clicks(1, 5))
        heat.add(now_ms() - 30_000, clicks(2, 1))
        again = await Reader(heat, after=last.id).next()

        assert (again.kind, again.count("click")) == ("delta", {1: 5, 2: 1})

    running(scenario)


def test_another_question_does_not_take_a_cursor(heat: FakeHeat) -> None:
    async def scenario() -> None:
        first = await Reader(heat).next()
        other = Asked("demo", "/article", view_class="l")

        assert (await Reader(heat, other, after=first.id).next()).kind == "snapshot"

    running(scenario)


@pytest.mark.parametrize("after", ["", "nonsense", "ÿ", "lJ", "A" * 5000])
def test_an_id_that_is_none_gets_a_snapshot(heat: FakeHeat, after: str) -> None:
    async def scenario() -> None:
        assert (await Reader(heat, after=after).next()).kind == "snapshot"

    running(scenario)


def test_a_cursor_that_is_too_old_gets_a_snapshot(heat: FakeHeat) -> None:
    async def scenario() -> None:
        old = Cursor(stream_id(ASKED), heat.run, now_ms() // 5000 - RESUMABLE - 1)

        assert (await Reader(heat, after=old.written()).next()).kind == "snapshot"

    running(scenario)


def test_a_tally_that_shrank_makes_a_snapshot(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        for place, entries in heat.grids.items():
            heat.grids[place] = entries[:1]
        again = await reader.next()

        assert (again.kind, again.count("click")) == ("snapshot", {100: 3})

    running(scenario)


def test_another_life_of_the_store_makes_a_snapshot_though_lengths_fit(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.run = "run-2"

        assert (await reader.next()).kind == "snapshot"

    running(scenario)


def test_while_the_store_is_away_it_says_so_once_and_goes_on_after(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.is_away = True
        away = await reader.next()
        waiting = asyncio.create_task(reader.next())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        heat.add(now_ms(), clicks(4, 2))
        heat.is_away = False
        after = await waiting

        assert (away.kind, away.id) == ("away", None)
        assert (after.kind, after.count("click")) == ("delta", {4: 2})

    running(scenario)


def test_it_says_that_the_store_is_back_when_there_is_no_news(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.is_away = True
        await reader.next()
        heat.is_away = False

        assert (await reader.next()).kind == "back"

    running(scenario)


def test_who_is_here_and_where_they_look_is_news(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.here = Presence(12, [3] * ROWS)
        event = await reader.next()

        assert (event.kind, event.data["here"], event.data["bands"]) == ("delta", 12, [3] * ROWS)

    running(scenario)


def test_rows_are_sent_as_steps_and_spots_with_their_selectors(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        heat.selectors = {77: "#buy"}
        heat.add(now_ms(), clicks(4, 2, element=77, sub=512 << 10 | 300))
        heat.add(now_ms(), entry(Layer.VIEW, 3, 250))
        heat.add(now_ms(), entry(Layer.VIEW, 34, -250))
        heat.add(now_ms(), entry(Layer.VISIT, 0, 1))
        event = await reader.next()
        parts = list(event.data["buckets"].values())

        assert event.data["elements"] == {"77": "#buy"}
        assert [p["spots"] for p in parts if "spots" in p] == [[[1, 77, 512, 300, 4, 2]]]
        assert [step for p in parts for step in p.get("view", ())] == [[3, 250], [34, -250]]
        assert sum(p.get("visits", 0) for p in parts) == 1

    running(scenario)


def test_with_k_it_sends_pictures_in_which_few_visitors_are_hidden(heat: FakeHeat) -> None:
    async def scenario() -> None:
        heat.add(now_ms(), clicks(50, 3, visitors=3))
        reader = Reader(heat, Asked("demo", "/article", k=3))
        first = await reader.next()
        heat.add(now_ms(), clicks(51, 3, visitors=3))
        second = await reader.next()

        assert (first.kind, first.count("click")) == ("snapshot", {50: 3})
        assert (second.kind, second.count("click")) == ("snapshot", {50: 3, 51: 3})

    running(scenario)


def test_a_page_is_watched_while_somebody_listens(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()

        assert set(heat.watched) == {"demo|/article"}
        assert reader.streams.open == 1

    running(scenario)


def test_a_reader_that_goes_is_freed(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        waiting = asyncio.create_task(reader.next())
        await waiting
        waiting = asyncio.create_task(reader.next())
        await asyncio.sleep(0.005)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

        assert reader.streams.open == 0

    running(scenario)


def test_a_full_process_takes_no_more_readers(heat: FakeHeat) -> None:
    async def scenario() -> None:
        streams = Streams(heat, most=1)
        streams.require_room()
        one = streams.events(ASKED, None, lambda: False)
        await anext(one)

        with pytest.raises(BusyError, match="1 readers listen"):
            streams.require_room()

    running(scenario)


def test_it_ends_when_the_server_stops(heat: FakeHeat) -> None:
    async def scenario() -> None:
        reader = Reader(heat)
        await reader.next()
        reader.stopping = True

        with pytest.raises(StopAsyncIteration):
            await reader.next()

    running(scenario)


def test_a_quiet_stream_shows_that_it_lives_and_where_the_reader_is(
    heat: FakeHeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.01)

    async def scenario() -> None:
        reader = Reader(heat)
        first = await reader.next()
        beat = (await anext(reader.events)).decode()

        assert beat.startswith(": still here\nid: ")
        assert first.id
        told = read_cursor(beat.split("id: ")[1].strip(), ASKED)
        assert told is not None
        assert sum(told.lengths.values()) == 3

    running(scenario)
