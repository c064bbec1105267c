"""Generated orders are the same each time and have what a recommender looks for."""

import itertools
from collections import Counter, defaultdict

import pytest

from services.recommender.catalogue import OTHER, categories, family_of
from services.recommender.loading.generate import orders
from services.recommender.loading.online_retail import SCHEMA
from services.recommender.loading.orders import ONLINE_RETAIL, Line, LineReader, Reason
from tests.unit.recommender.test_orders import NOW

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    return list(itertools.islice(orders(), 40_000))


@pytest.fixture(scope="module")
def lines(rows: Rows) -> list[Line]:
    reader = LineReader(SCHEMA.names, {}, ONLINE_RETAIL, NOW)
    read = [reader.read([*row.values()]) for row in rows]
    assert {r for r in read if isinstance(r, Reason)} == {Reason.CANCELLED}
    return [line for line in read if isinstance(line, Line)]


def test_the_same_seed_gives_the_same_orders(rows: Rows) -> None:
    again = list(itertools.islice(orders(), 2_000))

    assert again == rows[:2_000]
    assert list(itertools.islice(orders(seed=1), 2_000)) != again


def test_rows_have_the_columns_of_online_retail(rows: Rows) -> None:
    assert {tuple(row) for row in rows} == {tuple(SCHEMA.names)}


def test_few_items_sell_most(lines: list[Line]) -> None:
    sold = sorted(Counter(line.item_id for line in lines).values(), reverse=True)

    assert len(sold) > 2_000
    assert sum(sold[: len(sold) // 5]) > 0.5 * len(lines)


def test_many_items_are_variants_of_another(lines: list[Line]) -> None:
    items = {line.item_id for line in lines}
    families = Counter(family_of(item_id) for item_id in items)

    assert sum(size for size in families.values() if size > 1) > len(items) / 4


def test_items_of_one_basket_share_a_theme_far_more_often_than_chance(lines: list[Line]) -> None:
    themes: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        themes[line.order_id].append(line.title.split()[-2])
    pairs = [a == b for basket in themes.values() for a, b in itertools.pairwise(basket)]
    everything = Counter(theme for basket in themes.values() for theme in basket)
    chance = sum((n / everything.total()) ** 2 for n in everything.values())

    assert sum(pairs) / len(pairs) > 5 * chance


def test_some_orders_are_guests(lines: list[Line]) -> None:
    guests = {line.order_id for line in lines if line.customer_id is None}

    assert 0.05 < len(guests) / len({line.order_id for line in lines}) < 0.3


def test_titles_give_categories(lines: list[Line]) -> None:
    found = Counter(categories({line.item_id: line.title for line in lines}).values())

    assert found[OTHER] == 0
    assert 40 <= len(found) <= 150
