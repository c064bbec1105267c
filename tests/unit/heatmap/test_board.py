import asyncio

from services.heatmap.board import Recent, together
from services.heatmap.store import Ask


class Looked:
    """Counts how often it was looked up."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> int:
        self.times += 1
        return self.times


def test_all_who_ask_within_a_moment_share_an_answer() -> None:
    async def scenario() -> list[int]:
        recent, look = Recent[str, int](3600), Looked()
        return [await recent.get("a", look), await recent.get("a", look)]

    assert asyncio.run(scenario()) == [1, 1]


def test_an_answer_that_is_too_old_is_looked_up_again() -> None:
    async def scenario() -> list[int]:
        recent, look = Recent[str, int](0), Looked()
        return [await recent.get("a", look), await recent.get("a", look)]

    assert asyncio.run(scenario()) == [1, 2]


def test_questions_asked_together_get_their_own_replies() -> None:
    asks = [Ask([("GET", "a")], lambda replies: replies), Ask([], lambda replies: replies)]
    asks.append(Ask([("GET", "b"), ("GET", "c")], lambda replies: replies))

    one = together(asks)

    assert list(one.commands) == [("GET", "a"), ("GET", "b"), ("GET", "c")]
    assert one.parse([1, 2, 3]) == [[1], [], [2, 3]]
