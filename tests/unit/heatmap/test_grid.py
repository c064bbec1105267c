import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.heatmap.grid import (
    ENTRY,
    SPOTS_MAX,
    Layer,
    Tally,
    Variant,
    bounded,
    key,
    merged,
    parts,
    tally,
)

CLICKED = Layer.CLICK | 8


def entries(*pairs: tuple[int, int]) -> Tally:
    return np.array([(k, np.uint64(v).view(np.int64) if v > 0 else v) for k, v in pairs], ENTRY)


def read(some: Tally) -> dict[int, int]:
    return {int(k): int(v) for k, v in some.tolist()}


@settings(deadline=None)
@given(
    st.integers(0, 15),
    st.integers(0, 2**14 - 1),
    st.integers(0, 2**26 - 1),
    st.integers(0, 2**20 - 1),
)
def test_a_key_says_what_it_was_made_of(layer: int, cell: int, element: int, sub: int) -> None:
    number = key(layer, cell, element, sub)

    assert number < 2**64
    assert parts(number) == (layer, cell, element, sub)


def test_a_variant_is_written_with_its_page_last() -> None:
    assert str(Variant("demo", "l", "human", "", "/a|b")) == "demo|l|human||/a|b"


def test_counts_add_up_and_masks_unite() -> None:
    first = entries((key(1, 7), 2), (key(CLICKED, 7), 0b011))
    second = entries((key(1, 7), 3), (key(CLICKED, 7), 0b110))

    assert read(merged([first, second])) == {key(1, 7): 5, key(CLICKED, 7): 0b111}


def test_differences_that_cancel_leave_no_entry() -> None:
    assert len(merged([entries((key(4, 9), 5_000)), entries((key(4, 9), -5_000))])) == 0


def test_nothing_merges_to_nothing() -> None:
    assert len(merged([])) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(-9, 9)), max_size=60), st.data())
def test_merging_in_steps_gives_the_same(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(pairs)))
    first, second = entries(*pairs[:cut]), entries(*pairs[cut:])

    assert read(merged([merged([first]), second])) == read(merged([entries(*pairs)]))


def test_a_tally_that_was_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        tally(bytes(17))


def test_too_many_places_become_coarser_and_cells_count_the_same() -> None:
    rng = np.random.default_rng(3)
    spots = merged(
        [
            entries(
                *(
                    (key(1, int(c), 5, int(s)), 1)
                    for c, s in rng.integers(0, [9, 2**20], (3_000, 2))
                )
            )
        ]
    )

    fewer = bounded(spots, 500)

    assert len(fewer) <= 500
    assert by_cell(fewer) == by_cell(spots)
    assert {parts(k)[2] for k in read(fewer)} == {5}


def test_too_many_elements_become_cells() -> None:
    many = merged([entries(*((key(1, e % 3, e), 1) for e in range(1, 1_000)))])

    assert read(bounded(many, 500)) == {key(1, cell): 333 for cell in range(3)}


def test_few_places_stay_as_exact_as_they_are() -> None:
    few = merged([entries((key(1, 0, 5, 77), 1), (key(0, 3), 4))])

    assert bounded(few, SPOTS_MAX) is few


def by_cell(some: Tally) -> dict[int, int]:
    found: dict[int, int] = {}
    for k, v in read(some).items():
        found[parts(k)[1]] = found.get(parts(k)[1], 0) + v
    return found
