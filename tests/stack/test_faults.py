"""kill -9 of each part while the API is asked: it answers or says why not, and recovers."""

import httpx2
import pytest

from tests.demo import Demo
from tests.visitor import Visitor, visiting
from tests.waiting import until

RECOVERY_S = 120


def kill_and_recover(demo: Demo, part: str, visitor: Visitor) -> None:
    until(lambda: visitor.answers, RECOVERY_S)
    killed = demo.kill(part)
    until(lambda: demo.leader(part) != killed, RECOVERY_S)
    asked = len(visitor.answers)
    until(lambda: 200 in [status for status, _ in visitor.answers[asked:]], RECOVERY_S)


@pytest.mark.parametrize("part", ["valkey", "kafka", "mlflow", "front page"])
def test_a_part_that_answers_do_not_need_can_be_killed_unnoticed(stack: Demo, part: str) -> None:
    with visiting(stack.url("RECOMMENDER_PORT")) as visitor:
        kill_and_recover(stack, part, visitor)

    assert not visitor.refusals()
    assert not visitor.no_answer


def test_without_the_database_every_answer_says_so_and_then_it_recovers(stack: Demo) -> None:
    with visiting(stack.url("RECOMMENDER_PORT")) as visitor:
        kill_and_recover(stack, "postgres", visitor)

    assert not visitor.no_answer
    assert {status for status, _ in visitor.answers} <= {200, 503}
    assert all("database" in text.lower() for text in visitor.refusals())


def test_a_killed_api_is_back_by_itself(stack: Demo) -> None:
    with visiting(stack.url("RECOMMENDER_PORT")) as visitor:
        kill_and_recover(stack, "recommender", visitor)

    assert not visitor.refusals()
    assert all(isinstance(e, httpx2.TransportError) for e in visitor.no_answer)
    assert not any(isinstance(e, httpx2.TimeoutException) for e in visitor.no_answer)
