"""The simulated visitors: the same for a seed, valid for the collector, and with known sums."""

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.senders import is_bot
from services.heatmap import events
from services.heatmap.checks import SPAN
from services.heatmap.events import AUDIENCES, BOT, HUMAN, STAFF, Batch, HeatSchema
from services.heatmap.visiting.batches import batch
from services.heatmap.visiting.crowd import Arrivals, Crowd, already_here
from services.heatmap.visiting.pages import WIDE, Page, article_a, article_b, choices
from services.heatmap.visiting.visits import CLICK, DEAD, LONGEST_MS, NOT_YET, RAGE, Visit
from tests.unit.heatmap.batches import sender

SCHEMA = HeatSchema(["demo", "shop"])
ITEMS = ["22423", "85123A", "POST"]
seeds = st.integers(0, 2**64 - 1)


def crowd(seed: int) -> Crowd:
    return Crowd(seed, choices(ITEMS))


def visits(seed: int, count: int) -> list[Visit]:
    people = crowd(seed)
    return [people.next_visit() for _ in range(count)]


@pytest.fixture(scope="module")
def many() -> list[Visit]:
    return visits(1, 1_500)


def records(visit: Visit, every_ms: int) -> list[Batch]:
    """What the collector makes of a visit that is posted every so often."""
    found = []
    for number, begin_ms in enumerate(range(0, visit.ends_ms, every_ms)):
        end_ms = min(begin_ms + every_ms, visit.ends_ms)
        one = batch(visit, number, begin_ms, end_ms, bye=end_ms == visit.ends_ms)
        reading = SCHEMA.read(one.body(end_ms), sender())
        assert reading.rejected == []
        assert reading.events == one.events
        assert reading.value is not None
        found.append(events.decode(reading.value))
    return found


def rows(packed: bytes, width: int) -> list[tuple[int, ...]]:
    numbers = memoryview(packed).cast("i").tolist()
    return [tuple(numbers[i : i + width]) for i in range(0, len(numbers), width)]


def test_a_seed_gives_the_same_people_each_time_and_another_seed_others() -> None:
    assert visits(7, 20) == visits(7, 20)
    assert visits(7, 20) != visits(8, 20)


def test_who_comes_later_does_not_hang_on_the_pages_known_then() -> None:
    early, late = crowd(7), crowd(7)
    early.next_visit()
    late.choices = choices([])
    late.next_visit()
    late.choices = early.choices

    assert early.next_visit() == late.next_visit()


@given(seed=seeds, every_ms=st.integers(300, 60_000))
def test_every_event_of_a_visit_is_valid_and_its_milliseconds_add_up_however_it_is_cut(
    seed: int, every_ms: int
) -> None:
    (visit,) = visits(seed, 1)

    sent = records(visit, every_ms)

    shown: Counter[tuple[int, int]] = Counter()
    for record in sent:
        for _, duration_ms, top, bottom in rows(record.view, 4):
            shown[top, bottom] += duration_ms
    truth: Counter[tuple[int, int]] = Counter()
    for segment in visit.view:
        truth[segment.top, segment.bottom] += segment.duration_ms
    assert shown == truth
    assert sum(len(rows(record.click, 8)) for record in sent) == len(visit.click)
    assert sum(len(rows(record.move, 3)) for record in sent) == len(visit.move)
    assert sum(len(rows(record.reach, 3)) for record in sent) == len(visit.reach)
    assert [record.bye for record in sent] == [False] * (len(sent) - 1) + [True]


@given(seed=seeds)
def test_times_are_those_of_the_visit_when_the_collector_has_added_the_origin(seed: int) -> None:
    (visit,) = visits(seed, 1)
    received_ms = sender().received_ms
    sent = [
        origin_ms + at_ms - received_ms + min((n + 1) * 5_000, visit.ends_ms)
        for n, record in enumerate(records(visit, 5_000))
        for origin_ms, at_ms in [(record.origin_ms, row[0]) for row in rows(record.click, 8)]
    ]

    assert sent == sorted(click.at_ms for click in visit.click)


def test_a_batch_is_the_same_in_every_attempt_but_for_its_age() -> None:
    one = batch(visits(3, 1)[0], 0, 0, 1_000)

    early = SCHEMA.read(one.body(1_000), sender())
    late = SCHEMA.read(one.body(9_000), sender())

    assert early.value is not None
    assert late.value is not None
    first, again = events.decode(early.value), events.decode(late.value)
    assert first.origin_ms - again.origin_ms == 8_000
    assert (first.view_id, first.number, first.view) == (again.view_id, again.number, again.view)


def test_the_first_screen_is_seen_by_all_and_the_end_by_some(many: list[Visit]) -> None:
    assert all(visit.view[0].top == 0 for visit in many)
    to_the_end = sum(visit.reach[-1].after == SPAN for visit in many) / len(many)

    assert 0.2 < to_the_end < 0.9


def test_a_reader_stays_for_a_plausible_time(many: list[Visit]) -> None:
    lengths_s = sorted(visit.ends_ms / 1000 for visit in many)

    assert 15 < lengths_s[len(many) // 2] < 60
    assert lengths_s[-1] < LONGEST_MS / 1000 + 60


def test_what_was_reached_only_grows_and_every_row_of_it_was_on_screen(many: list[Visit]) -> None:
    for visit in many:
        edges = [NOT_YET, *(reach.after for reach in visit.reach)]
        assert [(r.before, r.after) for r in visit.reach] == list(pairwise(edges))
        assert edges == sorted(set(edges))
        assert edges[-1] == max(segment.bottom for segment in visit.view)


def test_segments_do_not_overlap_and_end_with_the_visit(many: list[Visit]) -> None:
    for visit in many:
        ends = [segment.start_ms + segment.duration_ms for segment in visit.view]
        assert all(e <= s.start_ms for e, s in zip(ends, visit.view[1:], strict=False))
        assert ends[-1] == visit.ends_ms


def test_a_click_lies_on_what_is_on_screen_then(many: list[Visit]) -> None:
    clicks = [(visit, click) for visit in many for click in visit.click]

    assert clicks
    for visit, click in clicks:
        band = visit.band(click.at_ms)
        assert band is not None
        assert band[0] <= click.y < band[1]


WEB = Path("services/heatmap/web")


@pytest.mark.parametrize(
    ("page", "files"),
    [
        (article_a(), ["article.html"]),
        (article_b(), ["article.html", "article-news.html"]),
        (choices(ITEMS)[-1].page, ["../../recommender/web/index.html"]),
    ],
    ids=["a", "b", "item"],
)
def test_what_is_clicked_is_on_the_page(page: Page, files: list[str]) -> None:
    html = "".join((WEB / file).read_text() for file in files)

    for target in page.targets:
        assert target.selector.startswith("#")
        assert f'id="{target.selector[1:].partition(">")[0]}"' in html


def test_a_notice_pushes_everything_below_it_down_and_nothing_above() -> None:
    old = {target.selector: target.boxes[WIDE] for target in article_a().targets}
    new = {target.selector: target.boxes[WIDE] for target in article_b().targets}
    moved = {name: new[name].y_px - old[name].y_px for name in old}

    assert {name for name, by_px in moved.items() if by_px == 0} == {"#dashboard", "#pdf"}
    assert len(set(moved.values()) - {0}) == 1
    assert set(new) - set(old) == {"#news-link"}


def test_a_click_lies_inside_the_box_of_its_element(many: list[Visit]) -> None:
    for visit in many:
        device = visit.visitor.device
        boxes = {target.selector: target.box(device) for target in visit.page.targets}
        for click in visit.click:
            box = boxes[click.selector]
            off_x_px = click.x * device.width_px / SPAN - box.x_px
            off_y_px = click.y * visit.height_px / SPAN - box.y_px
            assert abs(off_x_px - (click.p / 1023 - 0.5) * box.width_px) < 2
            assert abs(off_y_px - (click.q / 1023 - 0.5) * box.height_px) < 2


def test_a_rage_or_dead_click_stands_beside_its_click(many: list[Visit]) -> None:
    kinds = Counter(click.kind for visit in many for click in visit.click)

    assert set(kinds) == {CLICK, RAGE, DEAD}
    for visit in many:
        clicks = set(visit.click)
        assert all(click._replace(kind=CLICK) in clicks for click in clicks)


def test_touched_windows_have_no_pointer(many: list[Visit]) -> None:
    assert not [visit for visit in many if visit.visitor.device.touch and visit.move]
    assert any(visit.move for visit in many)


def test_most_are_people_and_some_are_bots_and_staff(many: list[Visit]) -> None:
    found = Counter(visit.visitor.audience for visit in many)

    assert set(found) == {HUMAN, BOT, STAFF}
    assert found[HUMAN] > 0.85 * len(many)


def test_what_a_visitor_is_can_be_told_by_flags_or_browser(many: list[Visit]) -> None:
    for visit in many:
        who = visit.visitor
        reading = SCHEMA.read(
            batch(visit, 0, 0, 1_000).body(1_000), sender(is_bot=is_bot(who.agent.encode()))
        )
        assert reading.value is not None
        audience = events.decode(reading.value).audience
        assert AUDIENCES[audience] == AUDIENCES[who.audience], who.agent


def test_visitors_have_addresses_and_view_ids_of_their_own(many: list[Visit]) -> None:
    assert len({visit.visitor.view_id for visit in many}) == len(many)
    assert len({visit.visitor.address for visit in many}) > 0.99 * len(many)
    assert all(visit.visitor.address.startswith("10.") for visit in many)


def test_both_versions_of_the_article_and_the_items_are_visited(many: list[Visit]) -> None:
    pages = Counter((visit.page.path, visit.page.version) for visit in many)

    assert set(pages) == {("/article", ""), ("/article", "b")} | {
        (f"/items/{i}", "") for i in ITEMS
    }
    assert pages["/items/22423", ""] > pages["/items/POST", ""]


def test_without_a_shop_everybody_reads_the_article() -> None:
    assert {choice.page.path for choice in choices([])} == {"/article"}


def test_as_many_come_as_the_rate_says_however_often_one_looks() -> None:
    often, seldom = Arrivals(5), Arrivals(5)

    came = sum(often.during(0.25, 600) for _ in range(4 * 600))

    assert came == seldom.during(600.0, 600)
    # A Poisson count of 6,000 lies within six standard deviations.
    assert abs(came - 6_000) < 6 * 6_000**0.5


def test_nobody_comes_at_rate_zero() -> None:
    assert Arrivals(5).during(3_600.0, 0) == 0


def test_at_the_start_as_many_are_here_as_stay_for_long_at_that_rate(many: list[Visit]) -> None:
    mean_s = sum(visit.ends_ms for visit in many) / len(many) / 1000

    here = list(already_here(crowd(9), Arrivals(9), 600))

    # Little's law; the count is Poisson.
    expected = 600 / 60 * mean_s
    assert abs(len(here) - expected) < 6 * expected**0.5
    assert all(0 < since_ms < visit.ends_ms for visit, since_ms in here)


def test_a_browser_is_one_of_the_device(many: list[Visit]) -> None:
    for visit in many:
        who = visit.visitor
        if who.audience != BOT:
            assert ("Mobile" in who.agent) == who.device.touch


def test_drawing_uses_nothing_but_its_own_generator() -> None:
    random.seed(1)
    first = visits(11, 3)
    random.seed(2)

    assert visits(11, 3) == first
