"""kill -9 in each container while the API is asked: it answers or says why not, and recovers."""

import httpx2
import pytest

from tests.compose import Composed
from tests.stack.conftest import Addresses
from tests.visitor import Visitor, visiting
from tests.waiting import until

RECOVERY_S = 180
NOT_ASKED_FOR_ANSWERS = (
    *("valkey", "kafka", "mlflow", "front", "spark-worker", "spark-master"),
    *("heatmap", "heatmap-worker", "heatmap-archive", "heatmap-visitors"),
)


def kill_and_recover(composed: Composed, service: str, visitor: Visitor) -> None:
    (container,) = composed.containers(service)

    def restarts() -> int:
        return int(composed.inspect(container, "{{.RestartCount}}"))

    def health() -> str:
        return composed.inspect(container, "{{.State.Health.Status}}")

    until(lambda: visitor.answers, RECOVERY_S)
    before = restarts()
    # Everything but the container's first process, which then ends with its child's status.
    composed.compose("exec", "-T", service, "bash", "-c", "kill -9 -1")
    until(lambda: restarts() > before and health() == "healthy", RECOVERY_S, every_s=0.5)
    asked = len(visitor.answers)
    until(lambda: 200 in [status for status, _ in visitor.answers[asked:]], RECOVERY_S)


@pytest.mark.parametrize("service", NOT_ASKED_FOR_ANSWERS)
def test_a_server_that_answers_do_not_need_is_killed_unnoticed(
    composed: Composed, addresses: Addresses, service: str
) -> None:
    with visiting(addresses.recommender) as visitor:
        kill_and_recover(composed, service, visitor)

    assert not visitor.refusals()
    assert not visitor.no_answer


def test_without_the_database_every_answer_says_so_and_then_it_recovers(
    composed: Composed, addresses: Addresses
) -> None:
    with visiting(addresses.recommender) as visitor:
        kill_and_recover(composed, "postgres", visitor)

    assert not visitor.no_answer
    assert {status for status, _ in visitor.answers} <= {200, 503}
    assert all("PostgreSQL" in text for text in visitor.refusals())


def test_a_killed_api_is_back_by_itself(composed: Composed, addresses: Addresses) -> None:
    with visiting(addresses.recommender) as visitor:
        kill_and_recover(composed, "recommender", visitor)

    assert not visitor.refusals()
    assert not any(isinstance(e, httpx2.TimeoutException) for e in visitor.no_answer)
