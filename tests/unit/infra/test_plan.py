"""Only what the chosen systems need is planned."""

import pytest

from infra.stack.errors import StackError
from infra.stack.jars import pinned
from infra.stack.plan import INFRASTRUCTURE, chosen, infrastructure
from infra.systems import SYSTEMS


def test_without_a_choice_every_system_and_server_is_planned() -> None:
    assert [system.name for system in chosen("")] == list(SYSTEMS)
    assert infrastructure("") == INFRASTRUCTURE


def test_the_recommender_alone_needs_neither_kafka_nor_valkey() -> None:
    assert infrastructure("recommender") == ("postgres", "mlflow")


def test_a_system_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(StackError, match="ONLY names the system 'shop'; there is recommender"):
        chosen("shop")


def test_every_jar_is_pinned_by_a_sha256() -> None:
    pins = pinned()

    assert {path.split("/")[0] for path in pins} == {"kafka", "spark"}
    assert all(len(sha256) == 64 for sha256 in pins.values())
