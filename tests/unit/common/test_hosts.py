"""Requests for names that are not ours are refused with a sentence."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from services.common.hosts import HostsMiddleware


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@pytest.fixture
def client() -> TestClient:
    allowed = Middleware(HostsMiddleware, names=["localhost", " Shop "])
    return TestClient(Starlette(routes=[Route("/", hello)], middleware=[allowed]))


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8001", "shop:8001", "127.0.0.1:8001", "[::1]:8001", "192.168.1.7"],
)
def test_addresses_and_known_names_are_let_through(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).text == "hello"


@pytest.mark.parametrize(
    "host",
    ["attacker.example:8001", "localhost.attacker.example", "127.0.0.1.nip.io", "a b", "[::1", ""],
)
def test_other_names_are_refused_and_the_setting_is_told(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"Host": host})

    assert answer.status_code == 421
    assert repr(host) in answer.json()["detail"]
    assert "ALLOWED_HOSTS" in answer.json()["detail"]
