"""Training and evaluation as commands, on a small random shop, with the real parts."""

import csv
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

import psycopg
import pytest
from mlflow import MlflowClient
from psycopg import sql

from services.common.postgres import queries
from services.recommender.training.publish import taking_turns
from tests.demo import Demo
from tests.stack.training_room import (
    COLUMNS,
    MAPPING,
    SQL,
    Room,
    Trained,
    load,
    room_of,
    write_orders,
)


@pytest.fixture(scope="module", autouse=True)
def champion_kept(stack: Demo) -> Iterator[None]:
    """These trainings register their models in the MLflow that the stack's own model is in."""
    client = MlflowClient(stack.environment()["MLFLOW_TRACKING_URI"])
    before = client.get_model_version_by_alias("recommender", "champion")
    yield
    client.set_registered_model_alias("recommender", "champion", str(before.version))


@pytest.fixture
def room(stack: Demo, database_url: str, tmp_path: Path) -> Room:
    """An empty, migrated database."""
    return room_of(stack, database_url, tmp_path)


@pytest.fixture
def shop(room: Room) -> Room:
    """The small shop, loaded; no model yet."""
    return load(room)


@pytest.fixture(scope="module")
def first_training(stack: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """The small shop after its first training."""
    with fresh_database(stack) as url:
        room = load(room_of(stack, url, tmp_path_factory.mktemp("first")))
        before = set(Path().iterdir())
        yield Trained(room, room.run("train"), set(Path().iterdir()) - before)


@contextmanager
def fresh_database(stack: Demo) -> Iterator[str]:
    server = stack.environment()["POSTGRES_URL"]
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield f"{server.rpartition('/')[0]}/{name}"
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def trained(shop: Room) -> Room:
    """The small shop with a version that serves and was measured better than any can be."""
    with psycopg.connect(shop.url) as connection:
        connection.execute(
            "insert into model_version (mlflow_run_id, metrics, published_at)"
            """ values ('by hand', '{"hr_at_5": 2.0}', '2024-04-01')"""
        )
        connection.execute(
            "insert into model_alias select 'champion', model_version, 20, 1, 1 from model_version"
        )
    return shop


def test_a_training_ends_with_a_version_that_serves(first_training: Trained) -> None:
    assert "Published: version 1 of the model serves." in first_training.printed
    assert first_training.room.serving == 1


def test_a_training_leaves_nothing_behind(first_training: Trained) -> None:
    assert first_training.room.leftovers() == []
    assert first_training.new_files == set()


def test_with_a_model_there_is_nothing_to_train(first_training: Trained) -> None:
    printed = first_training.room.run("train", "--if-missing")

    assert printed == "Nothing to train, version 1 of the model serves.\n"


def test_mlflow_has_the_run_of_the_serving_version(first_training: Trained) -> None:
    room = first_training.room
    run_id = room.one("select mlflow_run_id from model_version")

    run = room.mlflow.get_run(run_id)

    assert run.info.status == "FINISHED"
    assert run.data.params["shrinkage"] == "20.0"
    assert run.data.metrics["hr_at_5"] == room.one("select metrics->'hr_at_5' from model_version")
    files = {artifact.path for artifact in room.mlflow.list_artifacts(run_id)}
    assert files == {"README.md", "neighbours.parquet", "recipe.json"}
    champion = room.mlflow.get_model_version_by_alias("recommender", "champion")
    assert champion.run_id == run_id


def test_every_item_has_neighbours_and_most_are_of_its_theme(first_training: Trained) -> None:
    room = first_training.room

    ranked = room.all("select item_id, neighbour_id from item_neighbour where rank <= 5")

    assert {item for item, _ in ranked} == {
        item for (item,) in room.all("select item_id from item")
    }
    assert fmean(item[0] == neighbour[0] for item, neighbour in ranked) > 0.9


def test_a_worse_model_is_not_published(trained: Room) -> None:
    serving = trained.serving

    printed = trained.run("train", status=3)

    assert "Not published: its hit rate at 5 is" in printed
    assert trained.serving == serving
    assert trained.leftovers() == []


def test_force_publishes_a_worse_model_and_only_the_last_versions_are_kept(trained: Room) -> None:
    trained.do(
        "insert into model_version (mlflow_run_id, published_at)"
        " select 'old', '2024-01-01'::date + day from generate_series(1, 4) day"
    )

    trained.run("train", "--force")

    assert trained.serving == 6
    kept = trained.all(
        "select mlflow_run_id = 'old', metrics->'hr_at_5' is null from model_version"
    )
    assert sorted(kept) == [(False, False), (False, False), (True, True)]


def test_a_training_that_fails_leaves_the_old_version_and_no_rows(trained: Room) -> None:
    trained.do("insert into model_version (mlflow_run_id) values ('killed')")
    (trained.folder / "no-jars").mkdir()

    printed = trained.run("train", status=1, SPARK_JARS=str(trained.folder / "no-jars"))

    assert "Spark on local[2] (SPARK_MASTER) failed: " in printed
    assert "org.postgresql.Driver" in printed
    assert trained.one("select mlflow_run_id from model_version") == "by hand"
    assert trained.leftovers() == []


def test_an_order_that_stands_alone_years_later_does_not_turn_the_clock(shop: Room) -> None:
    shop.do("insert into orders values ('late', 'c1', '2026-11-01')")
    query = queries(SQL)["newest_order"].as_string()

    assert shop.all(query)[0][1].year == 2024


def test_without_orders_a_training_says_what_to_do(room: Room) -> None:
    assert "run `make data`" in room.run("train", status=1)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MLFLOW_TRACKING_URI", "http://127.0.0.1:1"),
        ("POSTGRES_URL", "postgresql://someone:secret@127.0.0.1:1/lab"),
    ],
)
def test_a_server_that_is_away_is_named_with_its_setting(
    shop: Room, setting: str, value: str
) -> None:
    printed = shop.run("train", status=1, **{setting: value})

    assert "127.0.0.1:1" in printed
    assert setting in printed
    assert "secret" not in printed


def test_a_second_training_says_that_one_runs(shop: Room) -> None:
    with (
        psycopg.connect(shop.url, autocommit=True) as connection,
        taking_turns(connection, queries(SQL)),
    ):
        assert "Another training or evaluation runs" in shop.run("train", status=1)


def test_an_evaluation_of_a_file_prints_the_table_and_leaves_the_shop_as_it_was(
    trained: Room,
) -> None:
    orders = write_orders(trained.folder / "others.csv", orders=900)
    results = trained.folder / "results"
    results.mkdir()

    printed = trained.run(
        "evaluate", "--orders", orders, "--mapping", MAPPING, RESULTS_DIR=str(results)
    )

    assert "to before 2024-03-10, asking about" in printed
    for line in ("recommender", "customer cosine alone", "popularity of 28 days"):
        assert f"\n{line} " in printed
    assert trained.one("select count(*) from orders") == 600
    assert trained.leftovers() == []
    assert list(results.iterdir()) == []


def test_an_evaluation_needs_orders_that_follow_a_month_of_others(room: Room) -> None:
    file = room.folder / "short.csv"
    with file.open("w", newline="") as lines:
        csv.writer(lines).writerows([COLUMNS, ("1", "a", "A", 1, "2024-01-01", 1, "c")])

    printed = room.run("evaluate", "--orders", file, "--mapping", MAPPING, status=1)

    assert "more than 31 days of orders" in printed
