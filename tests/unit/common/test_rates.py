from hypothesis import given
from hypothesis import strategies as st

from services.common.rates import HotKeys, RateLimit

gaps_s = st.lists(st.floats(0, 0.5), min_size=1, max_size=200)


def test_a_burst_of_one_second_passes_and_the_next_waits() -> None:
    limit = RateLimit(per_s=20)

    assert [limit.wait_s("a", 5.0) for _ in range(20)] == [0.0] * 20
    assert 0 < limit.wait_s("a", 5.0) <= 0.06


def test_keys_do_not_share_a_rate() -> None:
    limit = RateLimit(per_s=1)
    limit.wait_s("a", 1.0)

    assert limit.wait_s("a", 1.0) > 0
    assert limit.wait_s("b", 1.0) == 0


def test_what_was_refused_does_not_count() -> None:
    limit = RateLimit(per_s=1)
    limit.wait_s("a", 1.0)
    for _ in range(100):
        limit.wait_s("a", 1.0)

    assert limit.wait_s("a", 2.1) == 0


@given(gaps_s)
def test_it_is_a_token_bucket(gaps: list[float]) -> None:
    limit = RateLimit(per_s=10)
    now_s = before_s = 100.0
    tokens = 10.0
    for gap in gaps:
        now_s += gap
        tokens = min(10.0, tokens + (now_s - before_s) * 10)
        before_s = now_s
        if abs(tokens - 1) > 0.501:
            assert (limit.wait_s("a", now_s) == 0) == (tokens >= 1)
        else:
            # Half a token either way is within rounding.
            passed = limit.wait_s("a", now_s) == 0
            tokens = max(tokens, 1.0) if passed else min(tokens, 0.999)
        if tokens >= 1:
            tokens -= 1


def test_memory_is_bounded_and_the_quietest_are_forgotten() -> None:
    limit = RateLimit(per_s=1, keys_max=100)
    for i in range(1000):
        limit.wait_s(i, 1.0)

    assert len(limit._full_at_s) == 100
    assert limit.wait_s(999, 1.0) > 0
    assert limit.wait_s(0, 1.0) == 0


def test_a_key_is_hot_above_the_threshold_and_only_then() -> None:
    hot = HotKeys(threshold_per_s=500)

    fast = [hot.is_hot("fast", i / 600) for i in range(6000)]
    slow = [hot.is_hot("slow", i / 400) for i in range(4000)]

    assert fast[-1]
    assert not any(slow)


def test_a_hot_key_cools_down() -> None:
    hot = HotKeys(threshold_per_s=100)
    for i in range(2000):
        hot.is_hot("a", i / 1000)

    assert hot.is_hot("a", 2.0)
    assert not hot.is_hot("a", 12.0)


def test_the_number_of_keys_watched_is_bounded() -> None:
    hot = HotKeys(threshold_per_s=1, keys_max=50)
    for i in range(1000):
        hot.is_hot(i, 1.0)

    assert len(hot._counts) == 50
