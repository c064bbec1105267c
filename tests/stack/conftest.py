"""The stack that the tests in this folder run against: the shipped one, on free ports.

It is started once, as a person would start it, with the real data when DATA_DIR has them. With
RECOMMENDER_URL, FRONT_URL, MLFLOW_URL and HEATMAP_URL set, tests that need only addresses run
against the system at those addresses, which is how docker compose is tested.
"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from playwright.sync_api import Browser
from psycopg import sql

from tests.demo import Demo, own_settings, running_demo
from tests.stack.readers import chromium, document
from tests.stack.recorder import Recorder, recording

URLS = ("RECOMMENDER_URL", "FRONT_URL", "MLFLOW_URL", "HEATMAP_URL")


@dataclass(frozen=True)
class Addresses:
    """Where the system under test answers."""

    recommender: str
    front: str
    mlflow: str
    heatmap: str


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The embedded stack with data loaded and a model trained; stopped after the last test."""
    folder = tmp_path_factory.mktemp("stack")
    with running_demo(own_settings(folder / "var"), folder / "demo.log") as demo:
        yield demo


@pytest.fixture
def real_data(stack: Demo) -> None:
    """Skip where the stack had to generate its orders."""
    if "GENERATED, NOT REAL" in (stack.state_dir.parent / "demo.log").read_text():
        pytest.skip("UCI Online Retail is not here: set DATA_DIR to a folder that holds it.")


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """The addresses of the system under test, in either mode."""
    given = [os.environ.get(name, "") for name in URLS]
    if all(given):
        return Addresses(*given)
    demo: Demo = request.getfixturevalue("stack")
    return Addresses(*(demo.url(name.replace("_URL", "_PORT")) for name in URLS))


@pytest.fixture
def database_url(stack: Demo) -> Iterator[str]:
    """The address of a fresh, empty database, dropped afterwards."""
    server = stack.environment()["POSTGRES_URL"]
    name = sql.Identifier(f"test_{uuid.uuid4().hex}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
        yield server.rpartition("/")[0] + "/" + name.as_string().strip('"')
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser as people have it, for those who read pages with the tracker."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Two pages that carry the tracker, and what it posts from there."""
    with recording({"/page": document(), "/other": document()}) as recorder:
        yield recorder
