"""The protocol by known answers, worked out by hand."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommender.protocol import (
    Invoice,
    Judged,
    Split,
    estimate,
    judge,
    ndcg,
    question,
    report,
    sample,
    split,
)

CATALOGUE = frozenset("abcdefgh")


def invoice(items: str, number: int = 1, customer: str = "c") -> Invoice:
    return Invoice(str(number), customer, datetime(2011, 11, 9, tzinfo=UTC), tuple(items))


def judged(hit_rate: float, *, new: bool = False, customer: str = "c", shown: str = "") -> Judged:
    return Judged(customer, new, 1, hit_rate, hit_rate, frozenset(shown))


def test_the_last_day_is_that_of_the_newest_order() -> None:
    newest = datetime(2011, 12, 9, 12, 50, tzinfo=UTC)

    assert split(newest, 30) == Split(
        datetime(2011, 11, 9, tzinfo=UTC), datetime(2011, 12, 10, tzinfo=UTC)
    )


def test_days_are_days_in_utc_wherever_the_order_was_made() -> None:
    in_tokyo = datetime(2011, 12, 10, 5, tzinfo=timezone(timedelta(hours=9)))

    assert split(in_tokyo, 1).end == datetime(2011, 12, 10, tzinfo=UTC)


def test_the_targets_of_a_seed_are_the_other_items_that_are_new_to_the_customer() -> None:
    asked = question(invoice("abc"), CATALOGUE, {"b", "z"})

    assert asked is not None
    assert asked.targets == {"a": {"c"}, "b": {"a", "c"}, "c": {"a"}}
    assert not asked.new_customer


def test_an_item_that_is_not_in_the_catalogue_is_neither_seed_nor_target() -> None:
    asked = question(invoice("abz"), CATALOGUE, set())

    assert asked is not None
    assert asked.targets == {"a": {"b"}, "b": {"a"}}
    assert asked.new_customer


@pytest.mark.parametrize(("items", "bought"), [("a", ""), ("ab", "ab"), ("az", ""), ("xyz", "")])
def test_an_invoice_without_a_new_pair_gives_no_case(items: str, bought: str) -> None:
    assert question(invoice(items), CATALOGUE, set(bought)) is None


def test_a_seed_whose_only_new_item_is_itself_gives_no_case() -> None:
    asked = question(invoice("ab"), CATALOGUE, {"b"})

    assert asked is not None
    assert asked.targets == {"b": {"a"}}


def test_an_invoice_counts_the_mean_over_its_seeds() -> None:
    asked = question(invoice("abc"), CATALOGUE, set())
    assert asked is not None

    result = judge(invoice("abc"), asked, {"a": list("bdefg"), "b": list("defgh")})

    assert result.cases == 3
    assert result.hit_rate == pytest.approx(1 / 3)
    assert result.shown == set("bdefgh")


def test_a_hit_below_the_fifth_place_is_none() -> None:
    asked = question(invoice("ab"), CATALOGUE, set())
    assert asked is not None

    assert judge(invoice("ab"), asked, {"a": list("cdefgb"), "b": list("cdefga")}).hit_rate == 0


@pytest.mark.parametrize(
    ("answer", "wanted", "value"),
    [
        ("abcde", "a", 1.0),
        ("abcde", "b", 1 / math.log2(3)),
        ("abcde", "ab", 1.0),
        ("abcde", "az", 1 / (1 + 1 / math.log2(3))),
        ("abcde", "abcdefgh", 1.0),
        ("abcde", "z", 0.0),
        ("", "a", 0.0),
    ],
)
def test_ndcg_by_hand(answer: str, wanted: str, value: float) -> None:
    assert ndcg(answer, wanted) == pytest.approx(value)


@given(st.permutations("abcdefgh"), st.sets(st.sampled_from("abcdefgh"), min_size=1))
def test_ndcg_is_a_share_and_is_one_only_when_the_first_places_all_hit(
    ranked: list[str], wanted: set[str]
) -> None:
    places = min(5, len(wanted))

    value = ndcg(ranked[:5], wanted)

    assert 0 <= value <= 1 + 1e-12
    assert (value > 1 - 1e-12) == (set(ranked[:places]) <= wanted)


def test_the_interval_is_that_of_a_mean() -> None:
    assert estimate([0.0, 1.0, 0.0, 1.0]).half_width == pytest.approx(1.96 * 0.5 / 2)


def test_new_and_returning_customers_are_told_apart() -> None:
    result = report([judged(1.0, new=True), judged(0.0), judged(0.5)], catalogue=8)

    assert result is not None
    means = {name: segment.hr_at_5.mean for name, segment in result.segments.items()}
    assert means == {"all": 0.5, "new": 1.0, "returning": 0.25}


def test_a_kind_of_customer_that_never_came_is_left_out() -> None:
    result = report([judged(1.0)], catalogue=8)

    assert result is not None
    assert result.segments.keys() == {"all", "returning"}


def test_coverage_is_the_share_of_the_catalogue_that_was_shown() -> None:
    result = report([judged(0, shown="ab"), judged(0, shown="bc", customer="d")], catalogue=12)

    assert result is not None
    assert (result.coverage_at_5, result.customers) == (0.25, 2)


def test_no_case_no_report() -> None:
    assert report([], catalogue=8) is None


def test_a_sample_is_the_same_for_the_same_seed_and_holds_only_what_can_give_a_case() -> None:
    invoices = [invoice("ab" if n % 2 else "a", number=n) for n in range(100)]

    chosen = sample(invoices, 20, seed=1)

    assert chosen == sample(invoices, 20, seed=1) != sample(invoices, 20, seed=2)
    assert len(chosen) == 20
    assert all(int(number) % 2 for number in chosen)


def test_a_sample_of_few_invoices_is_all_of_them() -> None:
    assert sample([invoice("ab")], 20, seed=1) == {"1"}
