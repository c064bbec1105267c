"""The API over a real database: what it records, what it refuses, and what it does without one."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import psycopg
import pytest

from tests.stack.asking import five, order, ready, value
from tests.stack.shop import (
    SmallShop,
    Thing,
    ids,
    move_alias,
    open_shop,
    plain_shop,
    serve_model,
    serving,
)


@pytest.fixture
def client(database_url: str) -> Iterator[httpx2.Client]:
    """The API over a plain shop of twelve items."""
    open_shop(database_url, plain_shop())
    with serving(database_url) as url, ready(url) as client:
        yield client


def test_a_purchase_is_gone_from_the_next_answer_and_becomes_a_reason(
    client: httpx2.Client,
) -> None:
    first = five(client, "i00", customer_id="c")[0]

    assert order(client, first, customer_id="c").status_code == 201

    after = client.get("/v1/items/i00/recommendations?customer_id=c").json()["items"]
    assert first not in ids(after)
    assert {item["because"]["item_id"] for item in after} == {first}


def test_what_is_sold_out_is_gone_from_the_next_answer(client: httpx2.Client) -> None:
    first = five(client, "i00")[0]

    order(client, first, quantity=10)

    assert first not in five(client, "i00")


def test_what_is_excluded_does_not_come(client: httpx2.Client) -> None:
    first, second, *_ = five(client, "i00")

    assert not {first, second} & set(five(client, "i00", exclude=f"{first},{second}"))


def test_n_items_come_for_every_n_while_there_are_so_many(client: httpx2.Client) -> None:
    assert [len(five(client, "i00", n=str(n))) for n in (1, 5, 11, 20)] == [1, 5, 11, 11]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/v1/items/zz/recommendations", 404, "There is no item 'zz'."),
        ("/v1/items/i00/recommendations?customer_id=zz", 404, "There is no customer 'zz'."),
        ("/v1/items/zz", 404, "There is no item 'zz'."),
        ("/v1/customers/zz/purchases", 404, "There is no customer 'zz'."),
    ],
)
def test_the_unknown_is_named(client: httpx2.Client, path: str, status: int, detail: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_an_order_is_recorded_in_all_its_places(client: httpx2.Client, database_url: str) -> None:
    lines = [{"item_id": i, "quantity": q} for i, q in (("i02", 1), ("i01", 2), ("i02", 3))]

    answer = client.post("/v1/orders", json={"customer_id": "new", "lines": lines})

    receipt = answer.json()
    assert [(x["item_id"], x["quantity"]) for x in receipt["lines"]] == [("i01", 2), ("i02", 4)]
    assert receipt["total"] == 6
    assert client.get("/v1/items/i02").json()["stock"] == 6
    assert ids(client.get("/v1/customers/new/purchases").json()["purchases"]) == ["i01", "i02"]
    assert value(database_url, "select country from customer where customer_id = 'new'") == (
        "unspecified"
    )


def test_a_repeated_order_is_the_same_order(client: httpx2.Client, database_url: str) -> None:
    first = order(client, "i01", 2, order_id="o-1", customer_id="c")
    again = order(client, "i01", 2, order_id="o-1", customer_id="c")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert value(database_url, "select stock from item where item_id = 'i01'") == 8
    assert value(database_url, "select times from purchase where item_id = 'i01'") == 1


@pytest.mark.parametrize(
    "other",
    [
        {"item": "i01", "quantity": 3, "customer_id": "c"},
        {"item": "i02", "quantity": 2, "customer_id": "c"},
        {"item": "i01", "quantity": 2, "customer_id": "d"},
        {"item": "i01", "quantity": 2},
    ],
)
def test_another_order_of_the_same_id_is_refused_and_leaves_nothing(
    client: httpx2.Client, database_url: str, other: dict[str, str]
) -> None:
    order(client, "i01", 2, order_id="o-1", customer_id="c")

    answer = order(client, order_id="o-1", **other)  # type: ignore[arg-type]

    assert answer.status_code == 409
    assert "'o-1' exists already" in answer.json()["detail"]
    assert value(database_url, "select sum(stock) from item") == 118
    assert value(database_url, "select count(*) from customer where customer_id = 'd'") == 0


def test_an_order_sent_many_times_at_once_is_recorded_once(
    client: httpx2.Client, database_url: str
) -> None:
    def send(_: int) -> int:
        return order(client, "i01", order_id="o-1", customer_id="c").status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = Counter(threads.map(send, range(24)))

    assert statuses[201] == 1
    assert set(statuses) <= {200, 201, 503}
    assert value(database_url, "select stock from item where item_id = 'i01'") == 9


@pytest.mark.parametrize(
    ("line", "status", "detail"),
    [
        (("zz", 1), 404, "There is no item 'zz'."),
        (("i01", 11), 409, "The order asks for 11 of the item 'i01', but 10 are in stock."),
        (("gone", 1), 409, "The item 'gone' is no longer sold."),
    ],
)
def test_an_order_that_cannot_be_leaves_nothing(
    client: httpx2.Client,
    database_url: str,
    line: tuple[str, int],
    status: int,
    detail: str,
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into item values ('gone', 'gone', 'cup', 'gone', 1, 9, false, now())"
        )
    lines = [{"item_id": item, "quantity": quantity} for item, quantity in [("i05", 1), line]]

    answer = client.post("/v1/orders", json={"customer_id": "new", "lines": lines})

    assert (answer.status_code, answer.json()["detail"]) == (status, detail)
    assert value(database_url, "select count(*) from orders") == 0
    assert value(database_url, "select count(*) from customer where customer_id = 'new'") == 0
    assert value(database_url, "select stock from item where item_id = 'i05'") == 10


def test_orders_that_cross_neither_deadlock_nor_oversell(
    client: httpx2.Client, database_url: str
) -> None:
    wanted = ["i01", "i02", "i03"]

    def send(turn: int) -> int:
        items = wanted if turn % 2 else wanted[::-1]
        lines = [{"item_id": i, "quantity": 1} for i in items]
        body = {"customer_id": f"c{turn % 3}", "lines": lines}
        status = 503
        while status == 503:
            status = client.post("/v1/orders", json=body).status_code
        return status

    with ThreadPoolExecutor(8) as threads:
        statuses = Counter(threads.map(send, range(24)))

    assert statuses == {201: 10, 409: 14}
    assert (
        value(database_url, "select max(stock) from item where item_id < 'i04' and item_id > 'i00'")
        == 0
    )


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("MUG red", ["i0", "i3"]),
        ("%", ["i3"]),
        ("_", ["i3"]),
        ("i2", ["i2"]),
        ("nothing like it", []),
    ],
)
def test_items_are_found_by_the_words_of_their_titles(
    database_url: str, search: str, found: list[str]
) -> None:
    titles = ("red mug", "mug, blue", "RED TIN", "100% red_mug")
    open_shop(database_url, SmallShop(tuple(Thing(f"i{n}", "f") for n, _ in enumerate(titles))))
    with psycopg.connect(database_url) as connection:
        for n, title in enumerate(titles):
            connection.execute("update item set title = %s where item_id = %s", [title, f"i{n}"])
    with serving(database_url) as url, ready(url) as client:
        answer = client.get("/v1/items", params={"search": search})

    assert sorted(ids(answer.json()["items"])) == found


def test_customers_are_found_by_the_start_of_their_id(client: httpx2.Client) -> None:
    order(client, "i01", customer_id="c2")

    found = client.get("/v1/customers", params={"search": "c"}).json()["customers"]
    latest = client.get("/v1/customers").json()["customers"]

    assert [(x["customer_id"], x["purchases"]) for x in found] == [("c", 0), ("c2", 1)]
    assert [x["customer_id"] for x in latest] == ["c2"]


def test_before_the_first_model_the_popular_ones_come_and_the_answer_says_so(
    database_url: str,
) -> None:
    shop = plain_shop()
    open_shop(database_url, SmallShop(shop.things, sold=("i03", "i03", "i04"), model=False))
    with serving(database_url) as url, ready(url) as client:
        before = client.get("/v1/items/i00/recommendations").json()
        unserved = client.get("/v1/model").json()
        with psycopg.connect(database_url) as connection:
            serve_model(connection, shop.neighbours)
        after = client.get("/v1/items/i00/recommendations").json()

    assert (before["source"], before["model_version"]) == ("popularity", None)
    assert ids(before["items"])[:2] == ["i03", "i04"]
    assert "No model" in before["note"]
    assert unserved["model_version"] is None
    assert (after["source"], after["note"]) == ("model", None)


def test_every_answer_is_of_one_version_while_the_alias_moves(database_url: str) -> None:
    shop = plain_shop(30)
    halves = {0: ids_of(shop)[1:15], 1: ids_of(shop)[15:]}
    open_shop(database_url, SmallShop(shop.things, model=False))
    with psycopg.connect(database_url, autocommit=True) as connection:
        versions = {
            serve_model(connection, {"i00": tuple(half)}): set(half) for half in halves.values()
        }
        stop = threading.Event()

        def move() -> None:
            while not stop.is_set():
                for version in versions:
                    move_alias(connection, version)

        with serving(database_url) as url, ready(url) as client:
            mover = threading.Thread(target=move)
            mover.start()
            answers = [client.get("/v1/items/i00/recommendations").json() for _ in range(200)]
            stop.set()
            mover.join()

    assert {answer["model_version"] for answer in answers} == set(versions)
    for answer in answers:
        assert set(ids(answer["items"])) <= versions[answer["model_version"]]


def ids_of(shop: SmallShop) -> list[str]:
    return [thing.item_id for thing in shop.things]
