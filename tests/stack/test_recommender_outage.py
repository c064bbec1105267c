"""The API while its database is away, dies, freezes or is restarted."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.stack.asking import LONGEST_ANSWER_S, RECOVERY_S, five, order, ready, value
from tests.stack.shop import Wire, open_shop, plain_shop, serving, wire_to
from tests.waiting import until


@pytest.fixture
def wire(database_url: str) -> Iterator[Wire]:
    with wire_to(database_url) as wire:
        yield wire


def test_it_starts_without_a_database_and_becomes_ready_with_it(
    wire: Wire, database_url: str
) -> None:
    wire.cut()
    with serving(wire.url) as url, httpx2.Client(base_url=url, timeout=LONGEST_ANSWER_S) as client:
        alive = client.get("/livez").status_code
        unready = client.get("/readyz")
        answer = client.get("/v1/items/i00/recommendations")
        wire.mend()
        until(lambda: client.get("/readyz").status_code == 200, RECOVERY_S)

    assert alive == 200
    assert unready.status_code == 503
    assert unready.json()["failing"] == ["postgres"]
    assert answer.status_code == 503
    assert value(database_url, "select count(*) from schema_migration") > 0  # type: ignore[operator]


def test_a_database_that_dies_gives_503s_and_its_return_gives_answers(
    wire: Wire, database_url: str
) -> None:
    open_shop(database_url, plain_shop())
    with serving(wire.url) as url, ready(url) as client:
        five(client, "i00")
        wire.cut()
        away = [client.get("/v1/items/i00/recommendations") for _ in range(5)]
        bought = order(client, "i01", order_id="o-1")
        alive = client.get("/livez").status_code
        wire.mend()
        until(lambda: client.get("/readyz").status_code == 200, RECOVERY_S)
        until(lambda: order(client, "i01", order_id="o-1").status_code in (200, 201), RECOVERY_S)

        assert len(five(client, "i00")) == 5

    assert alive == 200
    for answer in (*away, bought):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.json()["detail"].startswith("The database (PostgreSQL) does not answer")
    assert value(database_url, "select count(*) from orders") == 1


def test_a_database_that_freezes_is_not_waited_for(wire: Wire, database_url: str) -> None:
    open_shop(database_url, plain_shop())
    with serving(wire.url) as url, ready(url) as client:
        five(client, "i00")
        wire.freeze()
        answer = client.get("/v1/items/i00/recommendations")
        wire.mend()
        until(lambda: client.get("/v1/items/i00/recommendations").status_code == 200, RECOVERY_S)

    assert answer.status_code == 503


def test_a_restart_between_two_requests_is_not_noticed(wire: Wire, database_url: str) -> None:
    open_shop(database_url, plain_shop())
    with serving(wire.url) as url, ready(url) as client:
        five(client, "i00")
        wire.cut()
        wire.mend()

        assert len(five(client, "i00")) == 5


def test_a_server_that_says_goodbye_between_two_requests_is_not_noticed(database_url: str) -> None:
    open_shop(database_url, plain_shop())
    with serving(database_url) as url, ready(url) as client:
        five(client, "i00")
        ended = value(
            database_url,
            "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        )

        assert ended
        assert len(five(client, "i00")) == 5
