"""The front page in a real browser, over a recommender with a small shop and one part that dies."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import expect

from infra.portal.app import build
from services.common.settings import Settings
from tests.stack.browser import browsing, needs_chromium
from tests.stack.shop import Wire, open_shop, plain_shop, running, serving, wire_to
from tests.waiting import until


@pytest.fixture
def wire(database_url: str) -> Iterator[Wire]:
    open_shop(database_url, plain_shop())
    with wire_to(database_url) as wire:
        yield wire


@pytest.fixture
def front(wire: Wire) -> Iterator[str]:
    """The front page of a house of which the recommender and its database run."""
    with serving(wire.url) as recommender:
        until(lambda: httpx2.get(f"{recommender}/readyz").status_code == 200, 60)
        port = urlsplit(recommender).port
        assert port is not None
        # Port 1 is where nothing listens.
        settings = Settings(
            postgres_url=wire.url,
            recommender_port=port,
            valkey_port=1,
            kafka_port=1,
            mlflow_port=1,
            spark_ui_port=1,
            heatmap_port=1,
            heatmap_worker_port=1,
            heatmap_archive_port=1,
            heatmap_visitors_port=1,
        )
        with running(build(settings)) as url:
            yield url


def state(front: str) -> dict[str, bool]:
    parts = httpx2.get(f"{front}/status", timeout=15).json()["parts"]
    return {part["name"]: part["up"] for part in parts}


def test_the_status_says_what_answers(front: str) -> None:
    assert state(front) == {
        "recommender": True,
        "heatmap": False,
        "heatmap worker": False,
        "heatmap archive": False,
        "heatmap visitors": False,
        "postgres": True,
        "valkey": False,
        "kafka": False,
        "mlflow": False,
        "spark": False,
    }


def test_a_database_that_dies_and_returns_is_seen(front: str, wire: Wire) -> None:
    wire.cut()
    until(lambda: not state(front)["postgres"] and not state(front)["recommender"], 60)

    wire.mend()
    until(lambda: state(front)["postgres"] and state(front)["recommender"], 60)


def test_the_example_is_an_item_and_its_five(front: str) -> None:
    example = httpx2.get(f"{front}/example/recommender", params={"choice": 3}).json()

    assert len({example["item"]["item_id"], *(one["item_id"] for one in example["five"])}) == 6


def test_an_example_of_a_system_that_is_away_says_so(front: str, wire: Wire) -> None:
    wire.cut()

    answer = httpx2.get(f"{front}/example/recommender", timeout=15)

    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("This system does not answer just now")


@needs_chromium
def test_the_page_shows_states_links_and_the_example(front: str) -> None:
    with browsing(front) as page:
        page.goto("/")

        card = page.get_by_role("article", name="Recommender")
        expect(card.locator(".head .word")).to_have_text("answers")
        expect(card.locator(".example ol li")).to_have_count(5)
        expect(card.get_by_role("link", name="Design")).to_have_attribute(
            "href", "/design/recommender"
        )
        heat = page.get_by_role("article", name="Live heat map")
        expect(heat.locator(".head .word")).to_have_text("not running")
        expect(heat.locator(".example")).to_contain_text("does not answer just now")
        expect(heat.get_by_role("list", name="Workers").get_by_role("listitem")).to_have_count(3)
        expect(page.locator('[data-part="postgres"] .word')).to_have_text("answers")
        expect(page.locator('[data-part="kafka"] .word')).to_have_text("not running")
        expect(page.locator('[data-part="spark"] .word')).to_have_text("no job just now")
        expect(page.locator('[data-part="spark"] a')).to_be_hidden()


@needs_chromium
def test_the_design_page_is_reached_and_its_anchors_lead_somewhere(front: str) -> None:
    with browsing(front) as page:
        page.goto("/")
        card = page.get_by_role("article", name="Recommender")
        card.get_by_role("link", name="Design").click()

        expect(page.locator("h1")).to_be_visible()
        targets = page.locator('main a[href^="#"]').evaluate_all(
            "all => all.filter(a => !document.getElementById(a.hash.slice(1))).map(a => a.hash)"
        )
        assert targets == []
        assert page.locator("table").count() > 0


@needs_chromium
@pytest.mark.parametrize("width", [375, 768, 1440])
def test_nothing_sticks_out(front: str, width: int) -> None:
    with browsing(front, width, "dark") as page:
        for path in ("/", "/design/recommender"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
