"""The neighbours that Spark computes, against the formulas written once more with matrices."""

import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from pyspark.sql import DataFrame, SparkSession

from services.common.phases import Phases
from services.common.settings import Settings
from services.common.spark import spark_session
from services.recommender.neighbours import (
    basket_pairs,
    blend,
    content_pairs,
    customer_pairs,
    nearest,
)
from services.recommender.recipe import Recipe
from tests.demo import Demo

AS_OF = datetime(2011, 11, 9, tzinfo=UTC)
ITEMS = 30
# Caps small enough to cut.
RECIPE = Recipe(neighbours=6, customer_items=8, basket_items=4, shrinkage=2.0)
WORDS = ("BAG", "BAGS", "GLASS", "RED", "a", "TEA-SET", "of", "mugs", "CAFÉ")

Line = tuple[str, str, int, datetime]
Matrix = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def spark(stack: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment().items():
            patch.setenv(name, value)
        settings = Settings(state_dir=tmp_path_factory.mktemp("spark"))
        with spark_session(settings, "test", Phases(lambda _: None)) as session:
            yield session


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    """Two hundred orders of twenty customers; the same item may come twice in one."""
    chance = random.Random(3)
    made: list[Line] = []
    for order in range(200):
        at = AS_OF - timedelta(minutes=chance.randrange(1, 300_000))
        customer = f"c{chance.randrange(20)}"
        made.extend(
            (f"o{order:03}", customer, int(chance.triangular(0, ITEMS, 0)), at)
            for _ in range(chance.randrange(1, 9))
        )
    return made


@pytest.fixture(scope="module")
def items() -> list[tuple[int, str, float]]:
    chance = random.Random(4)
    titled = [
        (i, " ".join(chance.sample(WORDS, 3)), chance.choice((0.5, 1.0, 7.0))) for i in range(28)
    ]
    return [*titled, (28, "", 1.0), (29, "ONLY RED", 0.0)]


def matrix(groups: dict[str, dict[int, float]]) -> tuple[Matrix, Matrix]:
    """Shrunk cosine of the items of weighted groups, and how many groups have both."""
    weights = np.zeros((len(groups), ITEMS))
    for row, members in enumerate(groups.values()):
        for item, weight in members.items():
            weights[row, item] = weight
    has = (weights > 0).astype(float)
    both = has.T @ weights
    size = both.diagonal()
    support = has.T @ has
    cosine = both / (np.sqrt(np.outer(size, size)) + RECIPE.shrinkage)
    return np.where(support >= RECIPE.min_support, cosine, 0), support


def by_customers(lines: list[Line]) -> tuple[Matrix, Matrix]:
    last: dict[str, dict[int, datetime]] = defaultdict(dict)
    for _, customer, item, at in lines:
        last[customer][item] = max(at, last[customer].get(item, at))
    newest = {
        customer: sorted(times, key=lambda i: (-times[i].timestamp(), i))[: RECIPE.customer_items]
        for customer, times in last.items()
    }
    return matrix({c: dict.fromkeys(bought, 1.0) for c, bought in newest.items()})


def by_baskets(lines: list[Line]) -> tuple[Matrix, Matrix]:
    baskets: dict[str, set[int]] = defaultdict(set)
    weight: dict[str, float] = {}
    for order, _, item, at in lines:
        baskets[order].add(item)
        weight[order] = 0.5 ** ((AS_OF - at) / timedelta(days=RECIPE.half_life_days))
    return matrix(
        {o: dict.fromkeys(sorted(b)[: RECIPE.basket_items], weight[o]) for o, b in baskets.items()}
    )


def by_content(items: list[tuple[int, str, float]]) -> Matrix:
    words = []
    for _, title, _ in items:
        found = [w for w in re.findall(r"[a-zé]+", title.lower()) if len(w) > 1]
        singular = [re.sub("^(..+[^s])s$", r"\1", w) if len(w) > 3 else w for w in found]
        words.append(set(singular))
    terms = sorted(set().union(*words))
    rarity = [math.log(ITEMS / sum(term in own for own in words)) for term in terms]
    vectors = np.array(
        [[w * (t in own) for t, w in zip(terms, rarity, strict=True)] for own in words]
    )
    length = np.linalg.norm(vectors, axis=1)
    unit = vectors / np.where(length == 0, 1, length)[:, None]
    prices = np.array([price for _, _, price in items])
    low, high = np.minimum.outer(prices, prices), np.maximum.outer(prices, prices)
    ratio = np.where(high == 0, 1, low / np.where(high == 0, 1, high))
    cosine: Matrix = unit @ unit.T * (0.5 + 0.5 * ratio)
    return cosine


def scores(pairs: DataFrame) -> dict[tuple[int, int], float]:
    return {(row.item, row.other): row.score for row in pairs.collect()}


def upper(values: Matrix) -> dict[tuple[int, int], float]:
    return {
        (i, j): float(values[i, j])
        for i in range(ITEMS)
        for j in range(i + 1, ITEMS)
        if values[i, j] > 0
    }


@pytest.fixture(scope="module")
def lines_frame(spark: SparkSession, lines: list[Line]) -> DataFrame:
    return spark.createDataFrame(
        lines, "order_id string, customer_id string, item int, ordered_at timestamp"
    )


@pytest.fixture(scope="module")
def items_frame(spark: SparkSession, items: list[tuple[int, str, float]]) -> DataFrame:
    return spark.createDataFrame(items, "item int, title string, price double")


def test_customer_pairs_are_those_of_the_matrix(lines: list[Line], lines_frame: DataFrame) -> None:
    expected, _ = by_customers(lines)

    assert scores(customer_pairs(lines_frame, RECIPE)) == pytest.approx(upper(expected))


def test_basket_pairs_are_those_of_the_matrix(lines: list[Line], lines_frame: DataFrame) -> None:
    expected, _ = by_baskets(lines)

    assert scores(basket_pairs(lines_frame, AS_OF, RECIPE)) == pytest.approx(upper(expected))


def test_content_pairs_are_those_of_the_matrix(
    items: list[tuple[int, str, float]], items_frame: DataFrame
) -> None:
    assert scores(content_pairs(items_frame)) == pytest.approx(upper(by_content(items)))


def test_the_best_neighbours_are_those_of_the_summed_matrices(
    lines: list[Line],
    items: list[tuple[int, str, float]],
    lines_frame: DataFrame,
    items_frame: DataFrame,
) -> None:
    (customers, support), (baskets, _) = by_customers(lines), by_baskets(lines)
    total = customers + baskets + RECIPE.content_weight * by_content(items)
    np.fill_diagonal(total, 0)
    pairs = blend(
        customer_pairs(lines_frame, RECIPE),
        basket_pairs(lines_frame, AS_OF, RECIPE),
        content_pairs(items_frame),
        RECIPE,
    )

    rows = sorted(nearest(pairs, RECIPE).collect(), key=lambda row: (row.item, row.rank))

    for item in range(ITEMS):
        mine = [row for row in rows if row.item == item]
        best = sorted(total[item][total[item] > 0], reverse=True)[: RECIPE.neighbours]
        assert [row.rank for row in mine] == list(range(1, len(best) + 1))
        assert [row.score for row in mine] == pytest.approx(best)
        assert [total[item, row.neighbour] for row in mine] == pytest.approx(best)
        for row in mine:
            known = customers[item, row.neighbour] > 0
            bought = known or baskets[item, row.neighbour] > 0
            assert row.support == (support[item, row.neighbour] if known else int(bought))


def test_an_item_without_a_sale_has_neighbours_by_its_title(
    items_frame: DataFrame, lines_frame: DataFrame
) -> None:
    unsold = lines_frame.where("item != 3")
    pairs = blend(
        customer_pairs(unsold, RECIPE),
        basket_pairs(unsold, AS_OF, RECIPE),
        content_pairs(items_frame),
        RECIPE,
    )

    mine = nearest(pairs, RECIPE).where("item = 3").collect()

    assert len(mine) == RECIPE.neighbours
    assert {row.support for row in mine} == {0}
