import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from infra.portal import design
from infra.portal.app import SYSTEM_AWAY, build
from infra.portal.parts import Part, states, watched
from infra.systems import SYSTEMS
from services.common.settings import Settings

SETTINGS = Settings(
    host="127.0.0.1",
    postgres_url="postgresql://u:p@db:5432/lab",
    valkey_url="redis://cache:6379/0",
    kafka_bootstrap="kafka:9092,kafka2:9092",
    mlflow_tracking_uri="http://mlflow:5000",
    recommender_url="http://recommender:8001",
    heatmap_url="http://heatmap:8002",
    heatmap_worker_url="http://heatmap-worker:8012",
)
PAGE = """# A title
<!-- of the house -->
Text of 0.38<!-- recommender.hr_at_5 --> with [code](api.py) and [the web](https://example.org).

## The same
## The same

| a | b |
|---|---|
| 1 | 2 |

<script>alert(1)</script>

```mermaid
graph LR; A[One] --> B[Two]
```
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """What a README.md of this text becomes."""
    monkeypatch.setattr(design, "ROOT", tmp_path)
    (tmp_path / "services" / "shop" / "web").mkdir(parents=True)

    def render(text: str) -> str:
        (tmp_path / "services" / "shop" / "README.md").write_text(text)
        return design.rendered("shop")

    return render


def through(
    answer: Callable[[httpx2.Request], httpx2.Response], monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    """The front page, with every question it asks over HTTP answered here."""
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    monkeypatch.setattr("infra.portal.app.httpx2.AsyncClient", lambda **_: client)
    return TestClient(build(SETTINGS))


def test_headings_have_anchors_that_differ(page: Callable[[str], str]) -> None:
    html = page(PAGE)

    assert '<h1 id="a-title">A title</h1>' in html
    assert 'id="the-same"' in html
    assert 'id="the-same-1"' in html


def test_comments_are_left_out_and_html_is_shown_as_text(page: Callable[[str], str]) -> None:
    html = page(PAGE)

    assert "of the house" not in html
    assert "recommender.hr_at_5" not in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_tables_are_tables(page: Callable[[str], str]) -> None:
    assert "<td>1</td>" in page(PAGE)


def test_links_to_files_lead_to_their_text_and_others_stay(page: Callable[[str], str]) -> None:
    html = page(PAGE)

    assert 'href="/source/services/shop/api.py"' in html
    assert 'href="https://example.org"' in html


def test_a_diagram_without_a_drawing_is_shown_as_its_source(page: Callable[[str], str]) -> None:
    assert "<figure><pre><code>graph LR; A[One] --&gt; B[Two]" in page(PAGE)


def test_a_diagram_is_shown_as_its_drawing_and_told_in_words(
    page: Callable[[str], str], tmp_path: Path
) -> None:
    web = tmp_path / "services" / "shop" / "web"
    drawing = design.diagram_file("graph LR; A[One] --> B[Two]\n", web)
    drawing.touch()

    assert (
        f'<figure><img src="/design/shop/{drawing.name}" alt="Diagram: One, Two"></figure>'
        in page(PAGE)
    )


@pytest.mark.parametrize(
    "path", ["../secret.py", "services/../var/data.py", "infra/none.py", "services", "var/x.json"]
)
def test_only_source_files_of_the_house_are_shown(path: str) -> None:
    assert design.source_file(path) is None


def test_a_source_file_is_shown_as_text() -> None:
    answer = TestClient(build(SETTINGS)).get("/source/infra/systems.py")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "SYSTEMS" in answer.text


def test_a_part_that_hangs_refuses_or_fails_does_not_run() -> None:
    async def runs() -> bool:
        return True

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    async def refuses() -> bool:
        raise ConnectionRefusedError

    probes = {"a": runs, "b": hangs, "c": refuses}
    parts = [Part(name, name, "", probe) for name, probe in probes.items()]

    found = asyncio.run(states(parts))

    assert {state["name"]: state["up"] for state in found} == {"a": True, "b": False, "c": False}


def test_links_are_built_for_the_host_that_the_browser_asked() -> None:
    house = TestClient(build(SETTINGS), base_url="http://lab.example:8000").get("/house").json()

    assert house["systems"][0]["page"] == "http://lab.example:8001/"
    assert {part["name"] for part in house["parts"]} == {
        "postgres",
        "valkey",
        "kafka",
        "mlflow",
        "spark",
    }


def test_a_system_shows_its_workers_and_the_status_has_each() -> None:
    house = TestClient(build(SETTINGS)).get("/house").json()
    workers = {system["name"]: system["workers"] for system in house["systems"]}

    assert workers["recommender"] == []
    assert [worker["title"] for worker in workers["heatmap"]] == ["Worker", "Archive", "Visitors"]
    known = {part.name for part in watched(SETTINGS, httpx2.AsyncClient())}
    assert {worker["name"] for worker in workers["heatmap"]} <= known


def test_the_example_of_the_heat_map_is_who_is_on_the_demos_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    pages = [{"page": "/article", "here": 12}]

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(200, json={"site": "demo", "pages": pages})

    example = through(answer, monkeypatch).get("/example/heatmap").json()

    assert asked == ["http://heatmap:8002/v1/sites/demo/pages"]
    assert example == {"path": "/v1/sites/demo/pages", "pages": pages}


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_heat_map_that_is_away_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    front = through(lambda _: httpx2.Response(status), monkeypatch)

    answer = front.get("/example/heatmap")

    assert answer.status_code == 503
    assert answer.json()["detail"] == SYSTEM_AWAY


def test_systems_are_asked_at_the_addresses_of_the_settings() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(200)

    async def ask() -> None:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
            over_http = ("recommender", "heatmap", "heatmap worker", "mlflow", "spark")
            parts = [part for part in watched(SETTINGS, client) if part.name in over_http]
            await states(parts)

    asyncio.run(ask())

    assert sorted(asked) == [
        "http://127.0.0.1:8006",
        "http://heatmap-worker:8012/readyz",
        "http://heatmap:8002/readyz",
        "http://mlflow:5000/health",
        "http://recommender:8001/readyz",
    ]


def test_every_system_has_a_design_page() -> None:
    client = TestClient(build(SETTINGS))

    for name in SYSTEMS:
        assert client.get(f"/design/{name}").status_code == 200


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_link_of_a_design_page_into_the_house_leads_somewhere(name: str) -> None:
    client = TestClient(build(SETTINGS))
    html = client.get(f"/design/{name}").text

    addresses = set(re.findall(r'(?:href|src)="(/[^"#]+)', html))
    dead = [address for address in addresses if client.get(address).status_code != 200]
    # What is measured is written by its command; test_docs watches those links.
    assert [address for address in dead if not address.startswith("/source/results/")] == []


def test_a_folder_is_a_list_of_its_files() -> None:
    page = TestClient(build(SETTINGS)).get("/source/services/recommender/web").text

    assert '<a href="/source/services/recommender/web/app.js">app.js</a>' in page


def test_an_unknown_design_is_told() -> None:
    answer = TestClient(build(SETTINGS)).get("/design/nothing")

    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "There is no design of 'nothing'.",
    )
