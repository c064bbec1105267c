import re
from pathlib import Path

import pytest
from psycopg import OperationalError
from starlette.testclient import TestClient

from services.recommender.api import build
from services.recommender.shop import ConflictError, UnknownError
from tests.unit.recommender.fake_shop import FakeShop


@pytest.fixture
def shop() -> FakeShop:
    return FakeShop()


@pytest.fixture
def client(shop: FakeShop) -> TestClient:
    return TestClient(build(shop, {}), raise_server_exceptions=False)


def test_five_are_asked_for_a_guest_unless_said_otherwise(
    client: TestClient, shop: FakeShop
) -> None:
    client.get("/v1/items/mug/recommendations")

    assert shop.asked == [("recommend", "mug", None, [], 5)]


def test_the_answer_says_item_customer_version_source_and_request(client: TestClient) -> None:
    answer = client.get("/v1/items/mug/recommendations?customer_id=c1")

    body = answer.json()
    assert (body["item_id"], body["customer_id"]) == ("mug", "c1")
    assert (body["model_version"], body["source"], body["note"]) == (7, "model", None)
    assert body["request_id"] == answer.headers["X-Request-ID"]


def test_a_reason_is_given_where_a_purchase_spoke_for_the_item(client: TestClient) -> None:
    personal = client.get("/v1/items/mug/recommendations?customer_id=c1").json()["items"][0]
    of_guest = client.get("/v1/items/mug/recommendations").json()["items"][0]

    assert personal["because"] == {
        "item_id": "tin",
        "title": "Blue tin",
        "sentence": "Because you bought Blue tin.",
    }
    assert of_guest["because"] is None


def test_before_the_first_model_the_answer_says_that_it_is_popularity(
    client: TestClient, shop: FakeShop
) -> None:
    shop.version = None

    body = client.get("/v1/items/mug/recommendations").json()

    assert (body["model_version"], body["source"]) == (None, "popularity")
    assert body["note"] == "No model has been trained yet: these items are popular, not personal."


@pytest.mark.parametrize(
    ("query", "excluded"),
    [
        ("exclude=a", ["a"]),
        ("exclude=a,b", ["a", "b"]),
        ("exclude=a&exclude=b", ["a", "b"]),
        ("exclude=a,%20b&exclude=c,", ["a", "b", "c"]),
        ("exclude=", []),
    ],
)
def test_the_list_to_exclude_is_repeated_or_separated_by_commas(
    client: TestClient, shop: FakeShop, query: str, excluded: list[str]
) -> None:
    client.get(f"/v1/items/mug/recommendations?{query}")

    assert shop.asked == [("recommend", "mug", None, excluded, 5)]


@pytest.mark.parametrize("query", ["n=0", "n=21", "n=five", "n=", "n=1.5"])
def test_a_bad_n_is_refused_before_the_shop_is_asked(
    client: TestClient, shop: FakeShop, query: str
) -> None:
    answer = client.get(f"/v1/items/mug/recommendations?{query}")

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The query parameter n is ")
    assert not shop.asked


@pytest.mark.parametrize(
    "path",
    [
        "/v1/items/a%00b",
        "/v1/items/a%00b/recommendations",
        "/v1/items/mug/recommendations?customer_id=%00",
        "/v1/items/mug/recommendations?exclude=a,%00",
        "/v1/items?search=%00",
        "/v1/customers?search=%00",
        "/v1/customers/%00/purchases",
    ],
)
def test_what_no_database_can_store_is_refused_with_a_sentence(
    client: TestClient, shop: FakeShop, path: str
) -> None:
    answer = client.get(path)

    assert answer.status_code == 422
    assert "should have only printable characters" in answer.json()["detail"]
    assert not shop.asked


def test_too_long_a_list_to_exclude_is_refused(client: TestClient) -> None:
    ids = ",".join(str(i) for i in range(201))

    detail = client.get(f"/v1/items/mug/recommendations?exclude={ids}").json()["detail"]

    assert detail == "The query parameter exclude has 201 ids, but takes at most 200."


def test_an_unknown_thing_is_a_404_with_its_sentence(client: TestClient, shop: FakeShop) -> None:
    shop.trouble = UnknownError("customer", "zoe")

    answer = client.get("/v1/customers/zoe/purchases")

    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no customer 'zoe'.")


def test_a_new_order_is_created_and_a_repeated_one_is_not(
    client: TestClient, shop: FakeShop
) -> None:
    body = {"lines": [{"item_id": "mug", "quantity": 1}]}

    first = client.post("/v1/orders", json=body).status_code
    shop.created = False
    second = client.post("/v1/orders", json=body).status_code

    assert (first, second) == (201, 200)


def test_lines_of_the_same_item_are_added_up(client: TestClient, shop: FakeShop) -> None:
    lines = [{"item_id": item, "quantity": q} for item, q in [("mug", 1), ("cup", 2), ("mug", 3)]]

    client.post("/v1/orders", json={"order_id": "o1", "customer_id": "c1", "lines": lines})

    assert shop.asked == [("order", "o1", "c1", "unspecified", {"cup": 2, "mug": 4})]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lines": []},
        {"lines": [{"item_id": "mug", "quantity": 0}]},
        {"lines": [{"item_id": "mug", "quantity": 1001}]},
        {"lines": [{"item_id": "mug", "quantity": "2"}]},
        {"lines": [{"item_id": "", "quantity": 1}]},
        {"lines": [{"item_id": "mug", "quantity": 1}] * 101},
        {"lines": [{"item_id": "mug", "quantity": 1}], "coupon": "x"},
        {"lines": [{"item_id": "mug", "quantity": 1}], "order_id": "a\nb"},
    ],
)
def test_a_bad_order_is_refused_before_the_shop_is_asked(
    client: TestClient, shop: FakeShop, body: dict[str, object]
) -> None:
    answer = client.post("/v1/orders", json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("In the body, ")
    assert not shop.asked


def test_an_order_that_cannot_be_is_a_409_with_its_reason(
    client: TestClient, shop: FakeShop
) -> None:
    shop.trouble = ConflictError("The item 'mug' is no longer sold.")

    answer = client.post("/v1/orders", json={"lines": [{"item_id": "mug", "quantity": 1}]})

    assert (answer.status_code, answer.json()["detail"]) == (409, str(shop.trouble))


def test_without_a_database_the_answer_is_a_503_with_a_time_to_come_back(
    client: TestClient, shop: FakeShop
) -> None:
    shop.trouble = OperationalError("server closed the connection unexpectedly")

    answer = client.get("/v1/items/mug/recommendations")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["detail"].startswith("The database (PostgreSQL) does not answer")


def test_a_search_is_tidied(client: TestClient, shop: FakeShop) -> None:
    client.get("/v1/items?search=%20red%20%20mug%20&limit=3")

    assert shop.asked == [("items", "red mug", 3)]


def test_every_route_of_the_api_has_a_summary_and_examples(client: TestClient) -> None:
    described = client.get("/openapi.json").json()

    for path, methods in described["paths"].items():
        for route in methods.values():
            assert route["summary"], path
    for name in ("Recommendation", "Item", "Customer", "Purchase", "Receipt", "OrderLine"):
        fields = described["components"]["schemas"][name]["properties"]
        shown = [f for f, schema in fields.items() if "examples" in schema or "$ref" in str(schema)]
        assert shown == list(fields), name


@pytest.mark.parametrize("path", ["/", "/items/mug"])
def test_the_page_is_served_with_all_its_files(client: TestClient, path: str) -> None:
    page = client.get(path)

    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    files = re.findall(r'"(/static/[^"]+)"', page.text)
    assert files
    assert {client.get(file).status_code for file in files} == {200}


def test_every_module_that_a_script_imports_is_there() -> None:
    web = Path("services/recommender/web")

    for script in web.glob("*.js"):
        for imported in re.findall(r'from "\./([^"]+)"', script.read_text()):
            assert (web / imported).exists(), f"{script} imports {imported}"
