"""kill -9 of each part while the API is asked: it answers or says why not, and recovers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2
import pytest

from tests.demo import Demo
from tests.waiting import until

RECOVERY_S = 120
LONGEST_ANSWER_S = 10


@dataclass
class Visitor:
    """Asks for five items over and over, and keeps what it was told."""

    url: str
    answers: list[tuple[int, str]] = field(default_factory=list)
    no_answer: list[httpx2.HTTPError] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> int:
        try:
            answer = httpx2.get(self.url, timeout=LONGEST_ANSWER_S)
        except httpx2.TransportError as error:
            self.no_answer.append(error)
            return 0
        self.answers.append((answer.status_code, answer.text))
        return answer.status_code

    def ask_on(self) -> None:
        while not self.stopped.wait(0.02):
            self.ask()

    def refusals(self) -> list[str]:
        return [text for status, text in self.answers if status != 200]


@contextmanager
def visiting(demo: Demo) -> Iterator[Visitor]:
    url = demo.url("RECOMMENDER_PORT")
    first = httpx2.get(f"{url}/v1/items", params={"limit": 1}).json()["items"][0]["item_id"]
    visitor = Visitor(f"{url}/v1/items/{first}/recommendations")
    thread = threading.Thread(target=visitor.ask_on)
    thread.start()
    try:
        yield visitor
    finally:
        visitor.stopped.set()
        thread.join()


def kill_and_recover(demo: Demo, part: str, visitor: Visitor) -> None:
    until(lambda: visitor.answers, RECOVERY_S)
    killed = demo.kill(part)
    until(lambda: demo.leader(part) != killed, RECOVERY_S)
    asked = len(visitor.answers)
    until(lambda: 200 in [status for status, _ in visitor.answers[asked:]], RECOVERY_S)


@pytest.mark.parametrize("part", ["valkey", "kafka", "mlflow", "front page"])
def test_a_part_that_answers_do_not_need_can_be_killed_unnoticed(stack: Demo, part: str) -> None:
    with visiting(stack) as visitor:
        kill_and_recover(stack, part, visitor)

    assert not visitor.refusals()
    assert not visitor.no_answer


def test_without_the_database_every_answer_says_so_and_then_it_recovers(stack: Demo) -> None:
    with visiting(stack) as visitor:
        kill_and_recover(stack, "postgres", visitor)

    assert not visitor.no_answer
    assert {status for status, _ in visitor.answers} <= {200, 503}
    assert all("database" in text.lower() for text in visitor.refusals())


def test_a_killed_api_is_back_by_itself(stack: Demo) -> None:
    with visiting(stack) as visitor:
        kill_and_recover(stack, "recommender", visitor)

    assert not visitor.refusals()
    assert all(isinstance(e, httpx2.TransportError) for e in visitor.no_answer)
    assert not any(isinstance(e, httpx2.TimeoutException) for e in visitor.no_answer)
