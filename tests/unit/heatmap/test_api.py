import io
import time
from collections.abc import Iterator, Mapping

import pytest
from kafka.errors import KafkaTimeoutError
from PIL import Image
from starlette.testclient import TestClient

from services.heatmap.api import build
from services.heatmap.asking import Presence
from services.heatmap.grid import ROWS, WHO, Layer, Variant
from services.heatmap.live import Streams
from services.heatmap.looking import Looking
from services.heatmap.picture import LEGEND_PX
from tests.unit.heatmap.fake_heat import FakeHeat, clicks, entry

PAGE = "site=demo&page=/article"
PHONE = Variant("demo", "xs", "human", "b", "/article")
UNNAMED = Variant("demo", "l", "human", "", "/article")
BOT = Variant("demo", "l", "bot", "a", "/article")


class FakeEnds:
    def __init__(self) -> None:
        self.known: dict[int, int] = {}
        self.is_away = False

    async def ends(self) -> Mapping[int, int]:
        if self.is_away:
            raise KafkaTimeoutError("gone")
        return self.known


@pytest.fixture
def heat() -> FakeHeat:
    heat = FakeHeat()
    heat.add(now_ms(), clicks(100, 3))
    return heat


@pytest.fixture
def ends() -> FakeEnds:
    return FakeEnds()


@pytest.fixture
def client(heat: FakeHeat, ends: FakeEnds) -> Iterator[TestClient]:
    app = build(
        Looking(heat, ["demo", "shop"]),
        Streams(heat, most=0),
        ends,
        {},
        origins=["https://www.example.org"],
    )
    with TestClient(app, raise_server_exceptions=False, base_url="http://heat.test:8002") as client:
        yield client


def now_ms() -> int:
    return int(time.time() * 1000)


def test_a_page_answers_what_it_was_asked_and_exactly_of_when(client: TestClient) -> None:
    answer = client.get(f"/v1/heat?{PAGE}&last=60s").json()

    assert (answer["site"], answer["page"], answer["audience"]) == ("demo", "/article", "human")
    assert (answer["class"], answer["version"], answer["k"]) == ("", "", 0)
    assert answer["from_ms"] % 5000 == answer["to_ms"] % 5000 == 0
    assert 60_000 <= answer["to_ms"] - answer["from_ms"] <= 65_000
    assert answer["layers"]["click"] == [[100, 3]]
    assert answer["visitors_at_least"] == 1


def test_filters_choose_visits(client: TestClient, heat: FakeHeat) -> None:
    heat.add(now_ms(), clicks(1, 1), PHONE)
    heat.add(now_ms(), clicks(2, 1), UNNAMED)
    heat.add(now_ms(), clicks(3, 1), BOT)

    def cells(filters: str) -> list[int]:
        answer = client.get(f"/v1/heat?{PAGE}&{filters}").json()
        return [cell for cell, _ in answer["layers"]["click"]]

    assert cells("") == [1, 2, 100]
    assert cells("class=l") == [2, 100]
    assert cells("class=l&version=a") == [100]
    assert cells("version=-none-") == [2]
    assert cells("audience=bot") == [3]
    assert cells("audience=all") == [1, 2, 3, 100]
    assert cells("audience=staff") == []


def test_rows_visits_late_and_who_is_here(client: TestClient, heat: FakeHeat) -> None:
    heat.add(now_ms(), entry(Layer.REACH, 0, 2))
    heat.add(now_ms(), entry(Layer.REACH, 50, -2))
    heat.add(now_ms(), entry(Layer.VISIT, 0, 2))
    heat.here, heat.late_events = Presence(4, [4] * ROWS), 9

    answer = client.get(f"/v1/heat?{PAGE}").json()

    assert answer["reach"] == [2] * 50 + [0] * 150
    assert (answer["visits"], answer["late"], answer["here"]) == (2, 9, 4)
    assert answer["bands"] == [4] * ROWS


def test_spots_come_with_the_selectors_of_their_elements(
    client: TestClient, heat: FakeHeat
) -> None:
    heat.selectors = {77: "#buy"}
    heat.add(now_ms(), clicks(4, 2, element=77, sub=5 << 10 | 6))

    answer = client.get(f"/v1/heat?{PAGE}").json()

    assert [1, 77, 5, 6, 4, 2] in answer["spots"]
    assert answer["elements"] == {"77": "#buy"}


def test_k_hides_what_too_few_visitors_prove(client: TestClient, heat: FakeHeat) -> None:
    heat.add(now_ms(), clicks(50, 3, visitors=3))
    heat.here = Presence(2, [2] * ROWS)

    answer = client.get(f"/v1/heat?{PAGE}&k=3").json()

    assert answer["layers"]["click"] == [[50, 3]]
    assert (answer["k"], answer["hidden_cells"]) == (3, 1)
    assert (answer["here"], answer["bands"]) == (2, [0] * ROWS)


def test_history_is_asked_by_range(client: TestClient, heat: FakeHeat) -> None:
    then = now_ms() - 90 * 60_000
    heat.add(then, clicks(9, 7))

    answer = client.get(f"/v1/heat?{PAGE}&from={then - 60_000}&to={then + 60_000}").json()

    assert answer["layers"]["click"] == [[9, 7]]


@pytest.mark.parametrize("route", ["heat", "live", "picture.png"])
def test_an_unknown_site_or_page_is_404_with_a_sentence(client: TestClient, route: str) -> None:
    site = client.get(f"/v1/{route}?site=nowhere&page=/article")
    page = client.get(f"/v1/{route}?site=demo&page=/nowhere")

    assert (site.status_code, page.status_code) == (404, 404)
    assert site.json()["detail"] == "There is no site 'nowhere'; there is demo, shop."
    assert page.json()["detail"] == "No visit to the page '/nowhere' of the site 'demo' is known."


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("site=demo", "The query parameter page is missing."),
        (f"{PAGE}&last=soon", "last is 'soon', but should be today"),
        (f"{PAGE}&from=10&to=5", "from is 10, but should lie before to, which is 5."),
        (f"{PAGE}&from=x", "The query parameter from is 'x', but should be a valid integer."),
        (f"{PAGE}&last=1h&from=10", "both last and from or to"),
        (f"{PAGE}&k=1", "The query parameter k is '1', but should be 0, which is off, or lie"),
        (f"{PAGE}&k=11", "should be less than or equal to 10"),
        (f"{PAGE}&class=huge", "The query parameter class is 'huge', but should be"),
        (f"{PAGE}&audience=cats", "should be 'human', 'bot', 'staff' or 'all'."),
        (f"{PAGE}&version=a%20b", "The query parameter version is 'a b', but should match"),
    ],
)
def test_a_bad_question_is_422_with_a_sentence(
    client: TestClient, query: str, sentence: str
) -> None:
    answer = client.get(f"/v1/heat?{query}")

    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


def test_while_the_store_is_away_the_answer_is_503(client: TestClient, heat: FakeHeat) -> None:
    heat.is_away = True

    routes = (f"heat?{PAGE}", f"live?{PAGE}", f"picture.png?{PAGE}", "sites/demo/pages", "visitors")
    answers = [client.get(f"/v1/{route}") for route in routes]

    assert {answer.status_code for answer in answers} == {503}
    assert all("Retry-After" in answer.headers for answer in answers)


def test_no_room_for_a_stream_is_503(client: TestClient) -> None:
    answer = client.get(f"/v1/live?{PAGE}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("layer", ["move", "click", "rage", "dead", "view", "reach"])
def test_every_layer_is_a_picture_of_the_size_asked_for(client: TestClient, layer: str) -> None:
    answer = client.get(f"/v1/picture.png?{PAGE}&layer={layer}&width=320&height=800")

    picture = Image.open(io.BytesIO(answer.content))
    assert answer.headers["Content-Type"] == "image/png"
    assert picture.size == (320, 800 + LEGEND_PX)


def test_a_picture_has_square_cells_unless_a_height_is_asked_for(client: TestClient) -> None:
    picture = Image.open(io.BytesIO(client.get(f"/v1/picture.png?{PAGE}&width=64").content))

    assert picture.size == (64, 200 + LEGEND_PX)


def test_pages_come_with_their_kinds_of_visits(client: TestClient) -> None:
    answer = client.get("/v1/sites/demo/pages").json()

    assert [page["page"] for page in answer["pages"]] == ["/article"]
    assert answer["pages"][0]["variants"] == [{"class": "l", "audience": "human", "version": "a"}]
    assert client.get("/v1/sites/nowhere/pages").status_code == 404
    assert client.get("/v1/sites").json() == {"sites": ["demo", "shop"]}


def test_the_dial_is_kept(client: TestClient) -> None:
    put = client.put("/v1/visitors", json={"per_minute": 600})

    assert put.status_code == 200
    assert client.get("/v1/visitors").json() == {"per_minute": 600}


@pytest.mark.parametrize(
    "dial", [{"per_minute": 6001}, {"per_minute": -1}, {"per_minute": "1"}, {}]
)
def test_a_dial_beyond_its_bounds_is_422(client: TestClient, dial: dict[str, object]) -> None:
    assert client.put("/v1/visitors", json=dial).status_code == 422


def test_the_lag_is_what_the_topic_has_beyond_the_grids(
    client: TestClient, heat: FakeHeat, ends: FakeEnds
) -> None:
    ends.known, heat.positions = {0: 12, 1: 5}, {0: 10, 1: 5}

    answer = client.get("/v1/lag").json()

    assert answer["behind"] == 2
    assert answer["partitions"][0] == {
        "partition": 0, "next_offset": 10, "end_offset": 12, "behind": 2,
    }  # fmt: skip


def test_the_lag_is_503_while_kafka_is_away(client: TestClient, ends: FakeEnds) -> None:
    ends.is_away = True

    assert client.get("/v1/lag").status_code == 503


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://heat.test:8001", True),
        ("https://heat.test", True),
        ("https://www.example.org", True),
        ("https://example.org", False),
        ("http://heat.test.example.org", False),
        ("null", False),
    ],
)
def test_pages_of_the_same_host_and_named_ones_may_read(
    client: TestClient, origin: str, allowed: bool
) -> None:
    answer = client.get(f"/v1/heat?{PAGE}", headers={"Origin": origin})

    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert "Origin" in answer.headers["Vary"]


def test_a_refusal_can_be_read_across_origins(client: TestClient) -> None:
    answer = client.get("/v1/heat?site=demo", headers={"Origin": "http://heat.test:8001"})

    assert answer.status_code == 422
    assert answer.headers["Access-Control-Allow-Origin"] == "http://heat.test:8001"


def test_nothing_can_be_changed_across_origins(client: TestClient) -> None:
    asking = {"Origin": "http://heat.test:8001", "Access-Control-Request-Method": "PUT"}

    assert (
        "Access-Control-Allow-Origin" not in client.options("/v1/visitors", headers=asking).headers
    )


def test_visitors_are_proven_before_they_are_shown(client: TestClient, heat: FakeHeat) -> None:
    heat.add(now_ms(), entry(Layer.VISIT | WHO, 0, 0b111))

    assert client.get(f"/v1/heat?{PAGE}").json()["visitors_at_least"] == 3


@pytest.mark.parametrize("script", ["tracker.js", "overlay.js", "overlay/main.js"])
def test_scripts_can_be_included_by_any_page(client: TestClient, script: str) -> None:
    answer = client.get(f"/{script}", headers={"Origin": "https://anywhere.test"})

    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer.headers["Cache-Control"]


def test_only_the_scripts_of_the_overlay_are_served(client: TestClient) -> None:
    assert client.get("/overlay/nothing.js").status_code == 404
    assert client.get("/overlay/..%2Ftracker.js").status_code == 404


def test_the_dashboard_is_the_first_page(client: TestClient) -> None:
    answer = client.get("/")

    assert "<title>Live heat map</title>" in answer.text


def test_the_article_has_a_second_version_with_a_notice_inserted_above(client: TestClient) -> None:
    first, second = client.get("/article").text, client.get("/article?variant=b").text

    assert '<meta name="heat-version" content="">' in first
    assert '<meta name="heat-version" content="b">' in second
    assert second.index("You are reading version B") < second.index("Version B of this article")
    assert "You are reading" not in first
    assert client.get("/article?variant=c").status_code == 422


def test_the_article_carries_the_overlay_when_asked_to(client: TestClient) -> None:
    assert "/overlay.js" in client.get("/article?heat").text
    assert "/overlay.js" not in client.get("/article").text
    assert "{{" not in client.get("/article?variant=b&heat").text
