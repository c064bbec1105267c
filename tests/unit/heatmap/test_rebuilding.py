from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.heatmap import job
from services.heatmap.grid import ENTRY, key
from services.heatmap.keys import Keys
from services.heatmap.rebuilding.packing import grids
from services.heatmap.rebuilding.publishing import newest, published
from services.heatmap.rebuilding.reading import Period

PERIOD = Period(1_709_251_200_000, 1_709_337_600_000)
NOW = datetime(2024, 3, 2, 8, tzinfo=UTC)


def entries(*rows: tuple[str, int, int, int]) -> pa.RecordBatch:
    variants, buckets, keys, values = zip(*rows, strict=True)
    columns = {
        "variant": pa.array(variants, pa.string()),
        "level": pa.array(["5s"] * len(rows), pa.string()),
        "bucket": pa.array(buckets, pa.int64()),
        "key": pa.array(np.array(keys, np.uint64).view(np.int64)),
        "value": pa.array(values, pa.int64()),
        "keep_until_ms": pa.array([5000 * bucket for bucket in buckets], pa.int64()),
    }
    return pa.RecordBatch.from_pydict(columns)


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6), portion=st.integers(1, 7))
def test_a_grid_is_packed_once_however_its_rows_are_portioned(
    sizes: list[int], portion: int
) -> None:
    rows = [("a|l|human||/", n, key(15, n), i) for n, size in enumerate(sizes) for i in range(size)]
    portions = (entries(*rows[i : i + portion]) for i in range(0, len(rows), portion))

    packed = list(grids(portions, Keys("t")))

    names = [f"t:g:5s:{n}:a|l|human||/" for n in range(len(sizes))]
    assert [(name, until_ms) for name, until_ms, _ in packed] == [
        (name, 5000 * n) for n, name in enumerate(names)
    ]
    for n, (_, _, tally) in enumerate(packed):
        found = np.frombuffer(tally, ENTRY)
        assert found["value"].tolist() == list(range(sizes[n]))
        assert set(found["key"].tolist()) == {key(15, n)}


def test_the_newest_run_of_a_period_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for day, text in ((1, "old"), (2, "new")):
        with published(tmp_path, PERIOD, NOW.replace(day=day)) as staged:
            staged.mkdir()
            (staged / "part").write_text(text)

    found = newest(tmp_path, PERIOD)

    assert found is not None
    assert (found / "part").read_text() == "new"
    assert list(found.parent.iterdir()) == [found]


def test_a_run_that_fails_publishes_nothing_and_leaves_the_one_before(tmp_path: Path) -> None:
    with published(tmp_path, PERIOD, NOW) as staged:
        staged.mkdir()
    before = newest(tmp_path, PERIOD)

    def fail() -> None:
        with published(tmp_path, PERIOD, NOW.replace(hour=9)) as staged:
            staged.mkdir()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert newest(tmp_path, PERIOD) == before
    assert before is not None
    assert list(before.parent.iterdir()) == [before]


def test_a_period_is_two_times_in_utc() -> None:
    options = job._options(["--from", "2024-03-01", "--to", "2024-03-02T02:00+02:00"])

    assert options.period == PERIOD


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "yesterday", "--to", "2024-03-02"), "'yesterday' is not a time such as"),
        (("--from", "2024-03-02", "--to", "2024-03-02"), "--from must lie before --to."),
    ],
)
def test_a_period_that_is_none_is_refused_with_a_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        job._options(arguments)

    assert sentence in capsys.readouterr().err
