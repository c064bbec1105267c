import asyncio
import re
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.testclient import TestClient

from services.common import health
from services.common.health import Check
from services.common.pages import Pages
from services.common.web import create_app


class AwayError(Exception):
    pass


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    quantity: Annotated[int, Field(ge=1, le=1000)]


class Order(BaseModel):
    lines: Annotated[list[Line], Field(min_length=1, max_length=2)]


async def well() -> str | None:
    return None


def application(**checks: Check) -> FastAPI:
    app = create_app(
        title="Test", description="", checks=checks, unavailable={AwayError: "The part is away."}
    )

    @app.get("/things/{name}")
    async def thing(name: str, n: Annotated[int, Query(ge=1, le=20)] = 5) -> dict[str, int]:
        if name == "broken":
            raise ZeroDivisionError("secret")
        if name == "away":
            raise AwayError
        if name == "none":
            raise HTTPException(404, "There is no thing 'none'.")
        return {"n": n}

    @app.post("/orders")
    async def order(new: Order) -> int:
        return len(new.lines)

    return app


@pytest.fixture
def client() -> TestClient:
    return TestClient(application(), raise_server_exceptions=False)


def test_every_answer_has_a_request_id_of_its_own(client: TestClient) -> None:
    first, second = (client.get("/things/a").headers["X-Request-ID"] for _ in range(2))

    assert first
    assert first != second


def test_a_request_id_from_the_caller_is_kept(client: TestClient) -> None:
    answer = client.get("/things/a", headers={"X-Request-ID": "checkout-42"})

    assert answer.headers["X-Request-ID"] == "checkout-42"


@pytest.mark.parametrize("forged", ["a b", "x" * 65, "id\tcolumn", "{}"])
def test_a_request_id_that_could_spoil_a_log_is_replaced(client: TestClient, forged: str) -> None:
    answer = client.get("/things/a", headers={"X-Request-ID": forged})

    assert answer.headers["X-Request-ID"] != forged


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/things/none", 404, "There is no thing 'none'."),
        ("/elsewhere", 404, "There is nothing at GET /elsewhere."),
        ("/things/away", 503, "The part is away."),
        ("/things/broken", 500, "Something failed here; the log has it under this request id."),
        (
            "/things/a?n=0",
            422,
            "The query parameter n is '0', but should be greater than or equal to 1.",
        ),
        (
            "/things/a?n=many",
            422,
            "The query parameter n is 'many', but should be a valid integer.",
        ),
    ],
)
def test_an_error_is_one_sentence_and_the_request_id(
    client: TestClient, path: str, status: int, detail: str
) -> None:
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.json() == {"detail": detail, "request_id": answer.headers["X-Request-ID"]}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{}", "In the body, lines is missing."),
        ('{"lines": []}', "In the body, lines is [], but should have at least 1 item."),
        (
            '{"lines": [{"quantity": 0}]}',
            "In the body, lines[0].quantity is 0, but should be greater than or equal to 1.",
        ),
        (
            '{"lines": [{"quantity": 1, "gift": 1}]}',
            "In the body, lines[0].gift is not known here.",
        ),
        ("[", "The body is not valid JSON: Expecting value at character 1."),
    ],
)
def test_a_bad_body_is_told_by_place_value_and_rule(
    client: TestClient, body: str, detail: str
) -> None:
    answer = client.post("/orders", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["detail"] == detail


def test_a_long_value_is_not_repeated_in_full(client: TestClient) -> None:
    detail = client.get(f"/things/a?n={'9x' * 500}").json()["detail"]

    assert len(detail) < 200


def test_a_method_that_is_not_there_is_told_with_the_one_that_is(client: TestClient) -> None:
    answer = client.delete("/things/a")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"
    assert answer.json()["detail"].endswith("this address answers GET.")


def test_what_is_away_says_when_to_try_again(client: TestClient) -> None:
    assert client.get("/things/away").headers["Retry-After"] == "1"


def test_requests_are_counted_by_route_template_and_not_by_path(client: TestClient) -> None:
    for path in ("/things/a", "/things/b", "/things/none", "/nowhere/1", "/nowhere/2"):
        client.get(path)

    metrics = client.get("/metrics").text

    assert 'http_requests_total{method="GET",route="/things/{name}",status="200"} 2.0' in metrics
    assert 'http_requests_total{method="GET",route="/things/{name}",status="404"} 1.0' in metrics
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 2.0' in metrics
    assert 'http_request_duration_seconds_count{method="GET",route="/things/{name}"} 3.0' in metrics


def test_a_failure_is_counted_as_one(client: TestClient) -> None:
    client.get("/things/broken")

    assert 'route="/things/{name}",status="500"} 1.0' in client.get("/metrics").text


def test_an_invented_method_makes_no_new_series(client: TestClient) -> None:
    client.request("BREW", "/things/a")

    assert 'method="other"' in client.get("/metrics").text


def test_liveness_does_not_depend_on_any_part() -> None:
    async def sick() -> str | None:
        return "The part is sick."

    assert TestClient(application(part=sick)).get("/livez").status_code == 200


def test_readiness_names_what_fails() -> None:
    async def sick() -> str | None:
        return "The part is sick."

    answer = TestClient(application(part=sick, other=well)).get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["detail"] == "The part is sick."
    assert answer.json()["failing"] == ["part"]


def test_readiness_is_there_when_all_checks_pass() -> None:
    answer = TestClient(application(part=well, other=well)).get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"] == ["other", "part"]


def test_a_check_that_hangs_is_a_finding() -> None:
    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    found = asyncio.run(health.findings({"part": hangs, "other": well}, timeout_s=0.01))

    assert found == {"part": "The check of part did not answer within 0.01 s.", "other": None}


def test_the_apis_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")

    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert all(address.startswith(("/docs/", "data:")) for address in loaded)
    served = [address for address in loaded if address.startswith("/")]
    assert [client.get(address).status_code for address in served] == [200, 200, 200]


def test_static_files_have_an_address_that_changes_with_their_text(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script src="{{static}}/app.js"></script>')
    (tmp_path / "app.js").write_text("1")
    app = application()
    before = Pages(app, tmp_path)
    (tmp_path / "app.js").write_text("2")
    after = Pages(FastAPI(), tmp_path)

    page = bytes(before.page("index.html").body).decode()
    script = TestClient(app).get(f"{before.static}/app.js")

    assert before.static != after.static
    assert page == f'<script src="{before.static}/app.js"></script>'
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert 'route="static",status="200"} 1.0' in TestClient(app).get("/metrics").text


def test_a_page_allows_no_inline_script_and_no_other_host(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("")
    page = Pages(FastAPI(), tmp_path).page("index.html")

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
