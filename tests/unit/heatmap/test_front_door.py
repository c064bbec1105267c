import asyncio

import pytest
from redis.exceptions import ConnectionError as AwayError

from services.heatmap.front_door import FrontDoor

CALM = {"flush_ms": 5000, "watched": False}
BUSY = {"flush_ms": 1000, "watched": True}
MIDNIGHT_S = 1_771_977_600.0


class FakeSource:
    def __init__(self) -> None:
        self.pages: set[str] = set()
        self.days: list[str] = []
        self.is_away = False

    async def watched(self, now_ms: int) -> frozenset[str]:
        if self.is_away:
            raise AwayError("gone")
        return frozenset(self.pages)

    async def salt(self, day: str) -> bytes:
        self.days.append(day)
        return day.encode()


class Clock:
    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def clock() -> Clock:
    return Clock(MIDNIGHT_S - 1)


@pytest.fixture
def door(source: FakeSource, clock: Clock) -> FrontDoor:
    return FrontDoor(source, clock)


def test_a_page_that_nobody_watches_sends_every_5_s(door: FrontDoor) -> None:
    asyncio.run(door.refresh())

    assert door.reply("demo|/article") == CALM


def test_a_watched_page_sends_every_second(door: FrontDoor, source: FakeSource) -> None:
    source.pages = {"demo|/article"}

    asyncio.run(door.refresh())

    assert door.reply("demo|/article") == BUSY
    assert door.reply("shop|/article") == CALM


def test_a_watch_ends_by_itself_while_valkey_is_away(
    door: FrontDoor, source: FakeSource, clock: Clock
) -> None:
    source.pages = {"demo|/article"}
    asyncio.run(door.refresh())
    source.is_away = True

    clock.now_s += 11
    with pytest.raises(AwayError):
        asyncio.run(door.refresh())

    assert door.reply("demo|/article") == CALM


def test_there_is_no_secret_before_valkey_gave_one(door: FrontDoor) -> None:
    assert door.salt() is None


def test_the_secret_is_asked_for_once_a_day(
    door: FrontDoor, source: FakeSource, clock: Clock
) -> None:
    asyncio.run(door.refresh())
    asyncio.run(door.refresh())
    before = door.salt()
    clock.now_s = MIDNIGHT_S
    asyncio.run(door.refresh())

    assert (before, door.salt()) == (b"2026-02-24", b"2026-02-25")
    assert source.days == ["2026-02-24", "2026-02-25"]


def test_the_secret_is_kept_over_midnight_while_valkey_is_away(
    door: FrontDoor, source: FakeSource, clock: Clock
) -> None:
    asyncio.run(door.refresh())
    source.is_away = True
    clock.now_s = MIDNIGHT_S

    with pytest.raises(AwayError):
        asyncio.run(door.refresh())

    assert door.salt() == b"2026-02-24"


def test_looking_up_goes_on_when_valkey_comes_back(
    door: FrontDoor, source: FakeSource, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.heatmap.front_door.REFRESH_S", 0.001)
    source.is_away = True

    async def scenario() -> None:
        looking = asyncio.create_task(door.run())
        await asyncio.sleep(0)
        source.is_away = False
        async with asyncio.timeout(10):
            while door.salt() is None:
                await asyncio.sleep(0.001)
        looking.cancel()

    asyncio.run(scenario())
