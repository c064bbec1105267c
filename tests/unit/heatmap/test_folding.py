from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.heatmap.events import Batch, element_id
from services.heatmap.folding import FoldError, fold
from services.heatmap.grid import LEVELS, Layer, key
from tests.unit.heatmap.naive import HOUR_MS, T0, WHO, batch, batches, naive, row, sums

PROPERTY = settings(max_examples=60, deadline=None)
VARIANT = "demo|l|human|a|/article"
SEEN = {key(Layer.VISIT + WHO, 0): 1 << 3}


def on(level: str, *some: Batch, bucket: int | None = None) -> dict[int, int]:
    """The only tally of a level, without who was on the page."""
    found = {p[2]: t for p, t in sums([fold(some)]).items() if p[:2] == (VARIANT, level)}
    tally = found[bucket] if bucket is not None else next(iter(found.values()))
    assert bucket is not None or len(found) == 1
    return {k: v for k, v in tally.items() if k not in SEEN}


def test_time_on_screen_is_a_difference_over_the_rows_of_the_band() -> None:
    assert on("5s", batch(view=[(0, 900, 100, 1_020)])) == {
        key(Layer.VIEW, 2): 900,
        key(Layer.VIEW, 21): -900,
    }


@pytest.mark.parametrize(
    ("top", "bottom", "first", "edge"),
    [(0, 0, 0, 1), (49, 50, 0, 1), (50, 50, 1, 2), (10_000, 10_000, 199, 200), (0, 10_000, 0, 200)],
)
def test_a_band_has_at_least_one_row_and_none_outside(
    top: int, bottom: int, first: int, edge: int
) -> None:
    rows = {key(Layer.VIEW, first): 7, key(Layer.VIEW, edge): -7}

    assert on("5s", batch(view=[(0, 7, top, bottom)])) == rows


def test_a_segment_is_split_where_buckets_end() -> None:
    long = batch(view=[(1_000, 10_500, 0, 50)])

    for bucket, part_ms in ((0, 4_000), (1, 5_000), (2, 1_500)):
        assert on("5s", long, bucket=T0 // 5_000 + bucket)[key(Layer.VIEW, 0)] == part_ms
    assert on("1m", long)[key(Layer.VIEW, 0)] == 10_500


@PROPERTY
@given(st.integers(0, 20_000), st.lists(row((0, 9_000), (1, 60_000)), min_size=1, max_size=6))
def test_the_parts_of_a_segment_are_as_long_as_it(start: int, spans: list[tuple[int, int]]) -> None:
    views = [(gap, duration, 0, 10_000) for gap, duration in spans]
    one = batch(view=views, origin_ms=T0 + start, received_ms=T0 + start + 500_000)

    for level in LEVELS:
        tallies = [t for place, t in sums([fold([one])]).items() if place[1] == level]
        assert sum(t[key(Layer.VIEW, 0)] for t in tallies) == sum(d for _, d in spans)


def test_a_click_counts_at_its_cell_and_its_place_in_the_element() -> None:
    found = on("1h", batch(click=[(5, 2, 9_999, 49, 0, 512, 3, 0)], elements=["#buy"]))

    assert found == {
        key(Layer.RAGE, 63, element_id("#buy"), 512 << 10 | 3): 1,
        key(Layer.RAGE + WHO, 63): 1 << 3,
    }


def test_a_click_outside_of_any_element_counts_at_its_cell() -> None:
    found = on("1d", batch(click=[(5, 1, 0, 50, -1, 9, 9, 0)] * 2))

    assert found == {key(Layer.CLICK, 64): 2, key(Layer.CLICK + WHO, 64): 1 << 3}


def test_a_page_view_counts_as_a_visit_once_and_in_each_row_it_got_to() -> None:
    assert on("1m", batch(reach=[(0, -1, 900), (500, 900, 2_000)])) == {
        key(Layer.VISIT, 0): 1,
        key(Layer.REACH, 0): 1,
        key(Layer.REACH, 40): -1,
    }


def test_gaps_add_up_to_the_time_of_a_sample() -> None:
    moves = batch(move=[(4_000, 0, 0), (999, 0, 0), (1, 0, 0)], received_ms=T0 + 6_000)

    assert on("5s", moves, bucket=T0 // 5_000)[key(Layer.MOVE, 0)] == 2
    assert on("5s", moves, bucket=T0 // 5_000 + 1)[key(Layer.MOVE, 0)] == 1


def test_visitors_share_a_mask() -> None:
    found = on("1d", *(batch(move=[(0, 0, 0)], visitor=n) for n in (0, 63, 64, 2**64 - 1)))

    assert found[key(Layer.MOVE + WHO, 0)] == 1 << 63 | 1


def test_what_is_an_hour_old_is_folded_and_what_is_older_is_late() -> None:
    old = batch(move=[(0, 0, 0)], origin_ms=T0 - HOUR_MS, received_ms=T0)
    older = batch(move=[(0, 0, 0)], origin_ms=T0 - HOUR_MS - 1, received_ms=T0)

    assert fold([old]).late == {}
    assert fold([older, older]).late == {"demo|/article": 2}
    assert sums([fold([older])]) == {}


def test_nothing_folds_to_nothing() -> None:
    assert sums([fold([]), fold([batch()])]) == {}


@PROPERTY
@given(st.lists(batches(), max_size=8))
def test_the_fold_is_what_one_gets_event_by_event(some: list[Batch]) -> None:
    folded, (expected, late) = fold(some), naive(some)

    assert sums([folded]) == expected
    assert folded.late == late


@PROPERTY
@given(st.lists(batches(), max_size=8), st.data())
def test_any_portions_in_any_order_add_up_to_the_same(
    some: list[Batch], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(some))
    cut = data.draw(st.integers(0, len(some)))

    assert sums([fold(shuffled[:cut]), fold(shuffled[cut:])]) == sums([fold(some)])


def test_each_level_has_one_tally_for_a_variant_and_bucket() -> None:
    folded = fold([batch(move=[(0, 0, 0)], received_ms=T0 + i * 7_000, origin_ms=T0 + i * 7_000)
                   for i in range(40)])  # fmt: skip

    for level in folded.levels.values():
        places = [(variant, bucket) for variant, bucket, _ in level.tallies()]
        assert len(places) == len(set(places))


def test_far_apart_times_fold_as_well() -> None:
    some = [batch(move=[(0, 0, 0)], origin_ms=t, received_ms=t) for t in (0, T0, 1 << 43)]

    assert sums([fold(some)]) == naive(some)[0]


@pytest.mark.parametrize(
    "broken",
    [
        batch(move=[(0, 0)]),
        batch(move=[(0, 10_000, 0)]),
        batch(view=[(-1, 5, 0, 50)]),
        batch(click=[(0, 4, 0, 0, -1, 0, 0, 0)]),
        batch(click=[(0, 1, 0, 0, 0, 0, 0, 0)]),
        batch(view_class="xxxl"),
        batch(audience=3),
        batch(version="a|b"),
    ],
)
def test_what_no_collector_lets_through_is_refused(broken: Batch) -> None:
    healthy: Sequence[Batch] = [batch(move=[(0, 0, 0)], elements=["#buy"])]

    with pytest.raises(FoldError):
        fold([*healthy, broken, *healthy])
