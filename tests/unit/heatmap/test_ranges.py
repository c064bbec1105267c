import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.heatmap.grid import LEVEL_MS
from services.heatmap.keys import KEEP_MS
from services.heatmap.ranges import Span, SpanError, asked, tile

NOW_MS = 1_771_935_203_456  # 2026-02-24 12:13:23.456 UTC
DAY_MS = 86_400_000


def edges(span: Span) -> list[tuple[int, int]]:
    return [(n * LEVEL_MS[level], (n + 1) * LEVEL_MS[level]) for level, n in span.buckets]


@given(st.integers(1, 399 * DAY_MS), st.integers(1, 400 * DAY_MS))
def test_buckets_tile_the_span_without_gap_or_overlap(age_ms: int, length_ms: int) -> None:
    from_ms = NOW_MS - age_ms
    span = tile(from_ms, min(from_ms + length_ms, NOW_MS), NOW_MS)

    found = edges(span)
    assert found[0][0] == span.from_ms
    assert found[-1][1] == span.to_ms
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(found))


@given(st.integers(1, 399 * DAY_MS), st.integers(1, 400 * DAY_MS))
def test_what_was_asked_for_is_in_it_and_few_buckets_are_read(age_ms: int, length_ms: int) -> None:
    from_ms = NOW_MS - age_ms
    to_ms = min(from_ms + length_ms, NOW_MS)
    span = tile(from_ms, to_ms, NOW_MS)

    assert span.from_ms <= from_ms < to_ms <= span.to_ms
    assert len(span.buckets) < 24 + 2 * (60 + 24 + 400)


@given(st.integers(1, 399 * DAY_MS), st.integers(1, 400 * DAY_MS))
def test_no_bucket_is_read_that_may_have_expired(age_ms: int, length_ms: int) -> None:
    from_ms = NOW_MS - age_ms
    span = tile(from_ms, min(from_ms + length_ms, NOW_MS), NOW_MS)

    for level, number in span.buckets:
        assert number * LEVEL_MS[level] + KEEP_MS[level] > NOW_MS


def test_the_last_minute_is_read_in_5_s_to_the_5_s() -> None:
    span = asked("60s", None, None, NOW_MS)

    assert (span.from_ms, span.to_ms) == (NOW_MS - 63_456, NOW_MS + 1_544)
    assert (span.level, len(span.by_level()["5s"])) == ("5s", 13)


def test_an_hour_is_59_minutes_and_a_few_5_s_at_its_ends() -> None:
    span = asked("1h", None, None, NOW_MS)

    assert {level: len(numbers) for level, numbers in span.by_level().items()} == {
        "5s": 13,
        "1m": 59,
    }


def test_today_begins_at_midnight_utc() -> None:
    span = asked("today", None, None, NOW_MS)

    assert span.from_ms == NOW_MS // DAY_MS * DAY_MS
    assert span.by_level()["1h"] == [span.from_ms // 3_600_000 + hour for hour in range(12)]


def test_an_old_span_is_widened_to_the_buckets_that_are_still_there() -> None:
    from_ms = NOW_MS - 10 * DAY_MS
    span = asked(None, from_ms, from_ms + 60_000, NOW_MS)

    assert span.level == "1h"
    assert (span.from_ms, span.to_ms - span.from_ms) == (
        from_ms // 3_600_000 * 3_600_000,
        3_600_000,
    )


def test_without_to_it_goes_until_now() -> None:
    assert asked(None, NOW_MS - 5_000, None, NOW_MS).to_ms >= NOW_MS


@pytest.mark.parametrize(
    ("last", "from_ms", "to_ms", "sentence"),
    [
        ("60", None, None, "last is '60', but should be today"),
        ("0s", None, None, "last is '0s', but should be today"),
        ("401d", None, None, "of at most 400d"),
        ("1h", 5, None, "both last and from or to"),
        (None, None, NOW_MS, "to without from"),
        (None, NOW_MS - 5, NOW_MS - 5, "but should lie before to"),
        (None, NOW_MS + 5, None, "but should lie before to"),
        (None, NOW_MS + 5, NOW_MS + 9, "but should lie before now"),
        (None, 5, NOW_MS, "heat is kept for 400 days"),
    ],
)
def test_a_span_that_is_none_is_refused_with_a_sentence(
    last: str | None, from_ms: int | None, to_ms: int | None, sentence: str
) -> None:
    with pytest.raises(SpanError, match=sentence):
        asked(last, from_ms, to_ms, NOW_MS)
