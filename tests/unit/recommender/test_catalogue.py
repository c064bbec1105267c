"""Which codes are products, what is a variant of what, and categories from titles alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommender.catalogue import (
    OTHER,
    SMALLEST_CATEGORY,
    categories,
    family_of,
    is_product_code,
    singular,
)

TITLES = st.dictionaries(
    st.text(max_size=5),
    st.lists(st.sampled_from(["RED", "BAG", "BAGS", "MUG", "3", "OF", "WITH", "Ü", "'"])).map(
        " ".join
    ),
    max_size=60,
)


@pytest.mark.parametrize("code", ["85123A", "22423", "15056BL", "84596l"])
def test_five_digits_and_at_most_two_letters_are_a_product(code: str) -> None:
    assert is_product_code(code)


@pytest.mark.parametrize(
    "code", ["POST", "D", "2242", "224233", "22423ABC", " 22423", "22423\n", "٢٢٤٢٣", ""]
)
def test_anything_else_is_no_product(code: str) -> None:
    assert not is_product_code(code)


@pytest.mark.parametrize(
    ("item_id", "family"),
    [
        ("85123A", "85123"),
        ("85123b", "85123"),
        ("22423", "22423"),
        ("15056BL", "15056"),
        ("12A", "12A"),
        ("TEE-100-RED", "TEE-100-RED"),
        ("100ABC", "100ABC"),
    ],
)
def test_the_family_is_the_number_before_the_variant_letters(item_id: str, family: str) -> None:
    assert family_of(item_id) == family


@given(st.text(min_size=1))
def test_a_family_is_its_own_family_and_starts_the_item_id(item_id: str) -> None:
    family = family_of(item_id)

    assert item_id.startswith(family)
    assert family_of(family) == family


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("boxes", "box"),
        ("candles", "candle"),
        ("doilies", "doily"),
        ("glass", "glass"),
        ("glasses", "glass"),
        ("christmas", "christmas"),
        ("mug", "mug"),
    ],
)
def test_plural_endings_are_removed(word: str, one: str) -> None:
    assert singular(word) == one


def of_one_kind(*titles: str) -> dict[str, str]:
    """A catalogue in which each title stands often enough to be a category of its own."""
    names = [title for title in titles for _ in range(SMALLEST_CATEGORY)]
    return {str(number): name for number, name in enumerate(names)}


@pytest.mark.parametrize(
    ("title", "category"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "holder"),
        ("LUNCH BAG RED RETROSPOT", "bag"),
        ("SET OF 4 ENGLISH ROSE PLACEMATS", "placemat"),
        ("GLASS JAR WITH LID", "jar"),
        ("PACK OF 12 PINK POLKADOT TISSUES", "tissue"),
        ("POPPY'S PLAYHOUSE", "playhouse"),
        ("SET OF 3 RED", OTHER),
        ("", OTHER),
    ],
)
def test_the_category_is_the_last_word_that_names_an_article(title: str, category: str) -> None:
    assert set(categories(of_one_kind(title)).values()) == {category}


def test_a_rare_word_gives_way_to_a_frequent_one_before_it() -> None:
    titles = of_one_kind("JUTE BAG") | {"rare": "BAG ZEBRA"}

    assert categories(titles)["rare"] == "bag"


def test_titles_without_a_frequent_word_are_other() -> None:
    assert categories({"1": "ZEBRA", "2": "GNU"}) == {"1": OTHER, "2": OTHER}


@given(TITLES)
def test_every_item_has_one_category_and_each_is_large_enough(titles: dict[str, str]) -> None:
    found = categories(titles)

    assert found.keys() == titles.keys()
    counts = {c: list(found.values()).count(c) for c in set(found.values()) - {OTHER}}
    assert all(count >= SMALLEST_CATEGORY for count in counts.values())


@given(TITLES)
def test_categories_do_not_depend_on_the_order_of_the_catalogue(titles: dict[str, str]) -> None:
    assert categories(dict(reversed(titles.items()))) == categories(titles)
