"""The next `docker compose up`: everything is as it was left."""

import httpx2

from tests.compose import UP_DEADLINE_S, Composed
from tests.stack.conftest import Addresses


def test_a_second_up_neither_loads_nor_trains(composed: Composed, addresses: Addresses) -> None:
    model = httpx2.get(f"{addresses.recommender}/v1/model").json()
    loads = runs_of_the_registry(addresses)

    composed.compose("down")
    composed.compose("up", "--wait", timeout_s=UP_DEADLINE_S)

    assert httpx2.get(f"{addresses.recommender}/v1/model").json() == model
    assert runs_of_the_registry(addresses) == loads
    assert "Nothing to load" in composed.compose("logs", "recommender-load")


def runs_of_the_registry(addresses: Addresses) -> int:
    """How many versions of the model have been registered."""
    url = f"{addresses.mlflow}/api/2.0/mlflow/model-versions/search"
    versions = httpx2.get(url, params={"filter": "name='recommender'"}).json()
    return len(versions.get("model_versions", []))
