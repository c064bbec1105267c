from services.heatmap.presence import HOLDS_MS, Present, present, window, windows, word
from tests.unit.heatmap.naive import T0, batch

NOW_MS = T0 + 10_000
HERE = Present(7, "l", "human", "a", (0, 900))


def test_a_view_is_here_with_its_band() -> None:
    assert present([word(batch())], NOW_MS) == [HERE]


def test_its_last_word_holds() -> None:
    log = word(batch()) + word(batch(at=(300, 1_200), number=1))

    assert present([log], NOW_MS) == [HERE._replace(band=(300, 1_200))]


def test_a_view_that_shows_nothing_is_here_without_a_band() -> None:
    assert present([word(batch(at=None))], NOW_MS) == [HERE._replace(band=None)]


def test_a_good_bye_ends_it() -> None:
    assert present([word(batch()), word(batch(bye=True))], NOW_MS) == []


def test_a_word_holds_for_15_s() -> None:
    said = batch(received_ms=T0)

    assert present([word(said)], T0 + HOLDS_MS - 1) != []
    assert present([word(said)], T0 + HOLDS_MS) == []


def test_two_windows_have_every_word_that_holds() -> None:
    for now_ms in range(T0, T0 + 2 * HOLDS_MS, 777):
        assert {window(now_ms - HOLDS_MS + 1), window(now_ms)} <= set(windows(now_ms))


def test_nobody_is_here_without_a_log() -> None:
    assert present([], NOW_MS) == []


def test_64_bits_and_a_long_version_come_back_whole() -> None:
    said = batch(view_id=2**64 - 1, version="v" * 32, view_class="xxl", audience=2)

    (found,) = present([word(said)], NOW_MS)

    assert (found.view_id, found.version) == (2**64 - 1, "v" * 32)
    assert (found.view_class, found.audience) == ("xxl", "staff")
