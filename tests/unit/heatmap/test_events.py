import json
from array import array
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.reading import Reading, RefusedError
from services.heatmap.checks import DAY_MS
from services.heatmap.events import BOT, HUMAN, STAFF, Batch, decode, element_id, view_class
from tests.unit.heatmap.batches import RECEIVED_MS, SCHEMA, body, posted, sender

AFTER = "It happened after the batch was sent."


def read(**fields: Any) -> Reading:
    return SCHEMA.read(body(**fields), sender())


def batch_of(reading: Reading) -> Batch:
    assert reading.value is not None
    return decode(reading.value)


def reasons(reading: Reading) -> list[tuple[str, str]]:
    return [(rejected.event, rejected.reason) for rejected in reading.rejected]


def test_a_batch_becomes_one_record_with_all_its_events() -> None:
    reading = read(view=[0, 10, 0, 100], move=[5, 1, 2, 3, 4, 5], reach=[0, -1, 100], n=4)

    batch = batch_of(reading)
    assert (reading.events, reading.rejected) == (4, [])
    assert (batch.site, batch.page, batch.view_class, batch.number) == ("demo", "/article", "xl", 4)
    assert array("i", batch.move).tolist() == [5, 1, 2, 3, 4, 5]


def test_the_origin_is_as_long_ago_as_the_tracker_says_whatever_its_clock() -> None:
    assert batch_of(read(age=2_500)).origin_ms == RECEIVED_MS - 2_500


def test_the_key_names_site_class_and_page() -> None:
    assert read(w=375).key == "demo|xs|/article"


def test_a_retry_has_the_same_key_and_salt() -> None:
    first, again = read(age=10), read(age=9_000)

    assert (first.key, first.salt) == (again.key, again.salt)


def test_query_and_fragment_are_no_part_of_a_page() -> None:
    assert batch_of(read(page="/a?token=secret#there")).page == "/a"


@pytest.mark.parametrize(
    ("width_px", "name"),
    [(375, "xs"), (480, "s"), (768, "m"), (1439, "l"), (1440, "xl"), (1920, "xxl")],
)
def test_a_class_begins_at_its_width(width_px: int, name: str) -> None:
    assert view_class(width_px) == name


@pytest.mark.parametrize(
    ("is_bot", "is_staff", "flags", "audience"),
    [
        (False, False, 0, HUMAN),
        (True, False, 0, BOT),
        (False, True, 0, STAFF),
        (False, False, 1, BOT),
        (False, False, 2, STAFF),
        (True, True, 2, BOT),
    ],
)
def test_any_sign_of_a_bot_wins(is_bot: bool, is_staff: bool, flags: int, audience: int) -> None:
    reading = SCHEMA.read(body(flags=flags), sender(is_bot=is_bot, is_staff=is_staff))

    assert batch_of(reading).audience == audience


def test_an_invalid_event_is_named_and_the_valid_ones_go_through() -> None:
    reading = read(view=[0, 10, 5, 4, 5, 10, 4, 5])

    assert reasons(reading) == [("view[0]", "top is 5, but must not lie below bottom, which is 4.")]
    assert reading.events == 1


def test_a_rejected_event_does_not_move_the_time_of_those_that_follow() -> None:
    reading = read(view=[3, 10, 5, 4, 5, 10, 4, 5])

    assert array("i", batch_of(reading).view).tolist() == [18, 10, 4, 5]


def test_an_event_of_another_type_is_rejected_alone() -> None:
    reading = read(move=[0, 1, 2, 0, "x", 2], click=[0, 1, 5, 5, -1, 0, 0, 0])

    assert [rejected.event for rejected in reading.rejected] == ["move[1]"]
    assert reading.events == 2


def test_half_an_event_is_rejected() -> None:
    reading = read(reach=[0, -1, 10, 5, 10])

    assert reasons(reading) == [("reach[1]", "An event of reach has 3 values: time_ms, from, to.")]


def test_a_click_on_an_element_that_the_batch_does_not_name_is_rejected() -> None:
    reading = read(els=["#buy"], click=[0, 1, 2, 3, 1, 1, 2, 0])

    assert reasons(reading) == [("click[0]", "element is 1, but the batch names 1 elements.")]


def test_nothing_can_have_happened_after_it_was_sent() -> None:
    reading = read(age=2_000, view=[0, 3_000, 0, 1, 0, 1, 0, 1])

    assert reasons(reading) == [("view[1]", AFTER)]


def test_a_batch_of_rejected_events_only_leaves_no_record() -> None:
    assert read(move=[0, 99_999, 0]).value is None


def test_a_batch_without_events_still_tells_who_is_here() -> None:
    assert batch_of(read(at=[0, 100])).at == (0, 100)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"site": "q"}, "The site is 'q', but must be one of demo, shop."),
        ({"v": 2}, "The batch has version 2, but must have 1."),
        ({"w": 0}, "In the batch w is '0': expected `int` >= 1."),
        ({"id": "A*AAAAAAAAA"}, "The id is 'A*AAAAAAAAA', but must be 64 bits in base64url."),
        ({"at": [5, 4]}, "The band at is [5, 4], but must lie in order between 0 and 10000."),
        (
            {"page": "article"},
            (
                "The page is 'article', but must be a path of at most 512 printable characters "
                "that starts with one slash."
            ),
        ),
        (
            {"ver": "a b"},
            "The version is 'a b', but must be at most 32 letters, digits and any of . _ -.",
        ),
        (
            {"els": ["a\nb"]},
            "An element is 'a\\nb', but must have at most 200 printable characters.",
        ),
        ({"move": [0] * 1503}, "The batch has 501 events of move, but may have 500."),
        ({"move": [""] * 1503}, "The batch has 501 events of move, but may have 500."),
    ],
)
def test_a_batch_that_cannot_be_kept_is_refused_with_a_sentence(
    fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        read(**fields)

    assert str(refused.value) == sentence


@pytest.mark.parametrize("text", [b"", b"x", b"[]", b"7", b"\xff\xfe", b'{"v":1}'])
def test_a_body_that_is_no_batch_is_refused(text: bytes) -> None:
    with pytest.raises(RefusedError):
        SCHEMA.read(text, sender())


@pytest.mark.parametrize("value", [b"9" * 6_000, b"1e400", b"[" * 20_000 + b"]" * 20_000])
@pytest.mark.parametrize("field", [b"age", b"move", b"unknown"])
def test_a_number_too_large_or_a_list_too_deep_is_at_most_refused(
    field: bytes, value: bytes
) -> None:
    with suppress(RefusedError):
        SCHEMA.read(body()[:-1] + b',"' + field + b'":[' + value + b"]}", sender())


@pytest.mark.parametrize("page", ["//elsewhere.example/", "/\\elsewhere.example/"])
def test_a_page_that_links_take_for_another_site_is_refused(page: str) -> None:
    with pytest.raises(RefusedError, match="one slash"):
        read(page=page)


def test_an_element_has_the_same_26_bits_everywhere() -> None:
    assert element_id("#buy") == element_id("#buy") < 2**26


numbers = st.integers(-5, 2 * DAY_MS) | st.integers(-1, 10_000)


@given(
    st.fixed_dictionaries(
        {}, optional={g: st.lists(numbers) for g in ("view", "move", "click", "reach")}
    )
)
def test_every_event_is_either_kept_or_rejected_with_a_reason(groups: dict[str, list[int]]) -> None:
    widths = {"view": 4, "move": 3, "click": 8, "reach": 3}
    reading = SCHEMA.read(json.dumps(posted(**groups)).encode(), sender())

    events = sum(-(-len(rows) // widths[group]) for group, rows in groups.items())
    assert reading.events + len(reading.rejected) == events
    assert all(rejected.reason.endswith(".") for rejected in reading.rejected)
