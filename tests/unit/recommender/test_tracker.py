import pytest
from starlette.testclient import TestClient

from services.common.pages import STRICT_POLICY
from services.recommender.api import build
from tests.unit.recommender.fake_shop import FakeShop

ORIGIN = "http://testserver:8002"
SCRIPT = f'<script src="{ORIGIN}/tracker.js" data-site="shop" async></script>'


@pytest.fixture
def plain() -> TestClient:
    return TestClient(build(FakeShop(), {}))


@pytest.fixture
def tracked() -> TestClient:
    return TestClient(build(FakeShop(), {}, tracker_port=8002))


@pytest.mark.parametrize("path", ["/", "/items/mug"])
def test_pages_carry_the_tracker_of_the_host_they_were_asked_at(
    tracked: TestClient, plain: TestClient, path: str
) -> None:
    page = tracked.get(path)

    assert page.text.count(SCRIPT) == 1
    assert page.text.replace(SCRIPT, "") == plain.get(path).text


def test_the_policy_admits_exactly_that_origin_for_scripts_and_requests(
    tracked: TestClient,
) -> None:
    policy = tracked.get("/").headers["Content-Security-Policy"]

    kinds = dict(kind.split(" ", 1) for kind in policy.split("; "))
    before = dict(kind.split(" ", 1) for kind in STRICT_POLICY.split("; "))
    assert kinds.pop("script-src") == before.pop("script-src") + f" {ORIGIN}"
    assert kinds.pop("connect-src") == before.pop("connect-src") + f" {ORIGIN}"
    assert kinds == before


def test_without_the_setting_a_page_knows_of_no_tracker(plain: TestClient) -> None:
    page = plain.get("/")

    assert "tracker" not in page.text
    assert page.headers["Content-Security-Policy"] == STRICT_POLICY


@pytest.mark.parametrize("host", ['a"onload=1', "a;script-src *", "a b", "<i>"])
def test_a_host_that_is_no_name_is_not_believed(tracked: TestClient, host: str) -> None:
    page = tracked.get("/", headers={"Host": host})

    assert SCRIPT in page.text
    assert host not in page.text
    assert host not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["[::1]:8001", "192.168.1.5:8001"])
def test_an_address_is_a_host_too(tracked: TestClient, host: str) -> None:
    origin = f"http://{host.rpartition(':')[0]}:8002"

    assert f'src="{origin}/tracker.js"' in tracked.get("/", headers={"Host": host}).text
