import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.heatmap import maps
from services.heatmap.grid import ENTRY, ROWS, WHO, Layer, Tally
from services.heatmap.maps import Seen, bands, parts
from tests.unit.heatmap.fake_heat import clicks, entry


def joined(*tallies: Tally) -> Tally:
    return np.concatenate([np.empty(0, ENTRY), *tallies])


def test_entries_of_the_same_cell_are_added_up() -> None:
    seen = Seen(joined(clicks(7, 2, element=1), clicks(7, 3, element=2), clicks(8, 1)))

    assert seen.counts("click") == [(7, 5), (8, 1)]
    assert seen.counts("rage") == []


def test_rows_are_the_sum_of_the_steps_up_to_them() -> None:
    seen = Seen(joined(entry(Layer.VIEW, 2, 500), entry(Layer.VIEW, 5, -500)))

    assert seen.rows(Layer.VIEW) == [0, 0, 500, 500, 500] + [0] * 195
    assert seen.edges(Layer.VIEW) == [(2, 500), (5, -500)]


def test_a_band_to_the_end_of_the_page_has_its_last_row() -> None:
    seen = Seen(joined(entry(Layer.VIEW, 199, 10), entry(Layer.VIEW, 200, -10)))

    assert seen.rows(Layer.VIEW)[198:] == [0, 10]
    assert seen.edges(Layer.VIEW) == [(199, 10), (200, -10)]


def test_visits_are_counted_and_visitors_proven() -> None:
    two = joined(entry(Layer.VISIT | WHO, 0, 0b0011), entry(Layer.VISIT | WHO, 0, 0b0110))
    seen = Seen(joined(entry(Layer.VISIT, 0, 3), two))

    assert (seen.visits, seen.visitors_at_least) == (3, 3)


def test_the_64th_visitor_counts_too() -> None:
    seen = Seen(joined(entry(Layer.VISIT | WHO, 0, -(1 << 63)), entry(Layer.VISIT | WHO, 0, 1)))

    assert seen.visitors_at_least == 2


def test_cells_with_fewer_than_k_visitors_are_hidden_and_counted() -> None:
    seen = Seen(joined(clicks(7, 9, visitors=2), clicks(8, 3, visitors=3)), k=3)

    assert seen.counts("click") == [(8, 3)]
    assert seen.hidden_cells == 1
    assert [spot[4] for spot in seen.spots()[0]] == [8]


def test_many_clicks_of_one_visitor_prove_one() -> None:
    assert Seen(joined(*[clicks(7, 5)] * 20), k=2).counts("click") == []


def test_rows_are_hidden_until_k_are_proven_on_the_page() -> None:
    rows = joined(entry(Layer.VIEW, 0, 5), entry(Layer.VIEW, 9, -5))
    few = joined(rows, entry(Layer.VISIT | WHO, 0, 0b1))
    enough = joined(rows, entry(Layer.VISIT | WHO, 0, 0b11))

    assert Seen(few, k=2).rows(Layer.VIEW) == [0] * ROWS
    assert Seen(enough, k=2).rows(Layer.VIEW)[0] == 5


def test_what_the_buckets_prove_together_is_shown_in_each() -> None:
    one = joined(entry(Layer.CLICK, 7, 1), entry(Layer.CLICK | WHO, 7, 0b01))
    other = joined(entry(Layer.CLICK, 7, 1), entry(Layer.CLICK | WHO, 7, 0b10))
    page = entry(Layer.VISIT | WHO, 0, 0b11)

    shown = parts({1: one, 2: joined(other, page)}, k=2)

    assert [part["layers"] for part in shown.values()] == [{"click": [(7, 1)]}] * 2
    assert parts({1: joined(one, page)}, k=2) == {}


def test_spots_say_layer_element_place_cell_and_count() -> None:
    seen = Seen(joined(clicks(7, 2, element=99, sub=1023 << 10 | 5), entry(Layer.DEAD, 9, 4)))

    assert seen.spots() == ([(3, 0, 0, 0, 9, 4), (1, 99, 1023, 5, 7, 2)], 0)


def test_too_many_spots_are_taken_together_and_lose_no_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maps, "SPOTS_MAX", 20)
    everywhere = [clicks(7, 1, element=99, sub=p << 10 | 511) for p in range(1024)]

    spots, left_out = Seen(joined(*everywhere)).spots()

    assert len(spots) == 16
    assert {spot[2] for spot in spots} == {32 + 64 * i for i in range(16)}
    assert (sum(spot[5] for spot in spots), left_out) == (1024, 0)


def test_spots_beyond_the_largest_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "SPOTS_MAX", 2)

    spots, left_out = Seen(joined(*[clicks(cell, cell) for cell in (1, 2, 3, 4)])).spots()

    assert ([spot[5] for spot in spots], left_out) == ([4, 3], 3)


def test_an_empty_tally_has_nothing_to_show() -> None:
    assert Seen(joined()).part() == {}
    assert Seen(joined(), k=2).hidden_cells == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)).map(
            lambda pair: (min(pair), max(pair))
        )
    )
)
def test_bands_count_the_screens_on_which_a_row_is(seen: list[tuple[int, int]]) -> None:
    def is_on(row: int, band: tuple[int, int]) -> bool:
        first = min(band[0] * ROWS // 10_000, ROWS - 1)
        return first <= row <= max(first, -(-band[1] * ROWS // 10_000) - 1)

    assert bands(seen) == [sum(is_on(row, band) for band in seen) for row in range(ROWS)]
