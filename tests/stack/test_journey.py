"""A visitor's way through the running system: without Docker here, with Docker in the same file."""

import uuid
from collections.abc import Iterator

import httpx2
import pytest

from tests.stack.conftest import Addresses


@pytest.fixture(scope="module")
def api(addresses: Addresses) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=addresses.recommender, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def seed(api: httpx2.Client) -> str:
    """The most popular item."""
    item_id: str = api.get("/v1/items", params={"limit": 1}).json()["items"][0]["item_id"]
    return item_id


def five(api: httpx2.Client, item: str, **query: str) -> list[dict[str, object]]:
    answer = api.get(f"/v1/items/{item}/recommendations", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


def test_an_items_page_gets_five_other_items_from_a_trained_model(
    api: httpx2.Client, seed: str
) -> None:
    answer = api.get(f"/v1/items/{seed}/recommendations").json()

    ids = [item["item_id"] for item in answer["items"]]
    assert answer["source"] == "model"
    assert answer["model_version"] is not None
    assert len({*ids, seed}) == 6


def test_a_purchase_is_respected_by_the_next_answer(api: httpx2.Client, seed: str) -> None:
    customer = f"journey-{uuid.uuid4().hex[:12]}"
    wanted = str(five(api, seed)[0]["item_id"])

    order = {"customer_id": customer, "lines": [{"item_id": wanted, "quantity": 1}]}
    bought = api.post("/v1/orders", json=order)

    assert bought.status_code == 201, bought.text
    after = five(api, seed, customer_id=customer)
    assert len(after) == 5
    assert wanted not in [item["item_id"] for item in after]


def test_because_you_bought_names_a_purchase_of_this_customer(
    api: httpx2.Client, seed: str
) -> None:
    customer = f"journey-{uuid.uuid4().hex[:12]}"
    wanted = str(five(api, seed)[0]["item_id"])
    order = {"customer_id": customer, "lines": [{"item_id": wanted, "quantity": 1}]}
    api.post("/v1/orders", json=order)

    reasons = [item["because"] for item in five(api, seed, customer_id=customer)]

    named = {reason["item_id"] for reason in reasons if isinstance(reason, dict)}
    assert named == {wanted}


def test_what_is_excluded_does_not_come(api: httpx2.Client, seed: str) -> None:
    first, second, *_ = (str(item["item_id"]) for item in five(api, seed))

    rest = [item["item_id"] for item in five(api, seed, exclude=f"{first},{second}")]

    assert len(rest) == 5
    assert not {first, second} & set(rest)


def test_an_unknown_item_is_a_404_with_a_plain_sentence(api: httpx2.Client) -> None:
    answer = api.get("/v1/items/no-such-item/recommendations")

    assert answer.status_code == 404
    assert "no-such-item" in answer.json()["detail"]


def test_the_model_that_serves_is_the_champion_of_the_registry(
    api: httpx2.Client, addresses: Addresses
) -> None:
    registry = f"{addresses.mlflow}/api/2.0/mlflow/registered-models/alias"
    query = {"name": "recommender", "alias": "champion"}

    champion = httpx2.get(registry, params=query).json()["model_version"]

    assert champion["run_id"] == api.get("/v1/model").json()["mlflow_run_id"]


def test_the_front_page_leads_to_the_recommender_and_its_design(addresses: Addresses) -> None:
    page = httpx2.get(f"{addresses.front}/").text
    design = httpx2.get(f"{addresses.front}/design/recommender")

    assert "recommender" in page.lower()
    assert design.status_code == 200
    assert "Five more items" in design.text
