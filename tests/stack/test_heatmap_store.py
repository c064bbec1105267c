"""What the worker writes to Valkey counts once or not at all, against the real server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import redis
from redis.exceptions import OutOfMemoryError, ResponseError

from services.common.positions import Claim
from services.heatmap import calls, presence, store
from services.heatmap.events import Batch, element_id
from services.heatmap.folding import fold
from services.heatmap.grid import LEVEL_MS, LEVELS, Layer, Variant, key, merged, tally
from services.heatmap.keys import KEEP_MS, SEEN_BATCHES, SEEN_S, Keys
from services.heatmap.worker import client
from services.heatmap.writing import (
    Applied,
    Duplicates,
    Fenced,
    Gap,
    Grids,
    Outcome,
    Replayed,
)
from tests.servers import Server, own_valkey
from tests.unit.heatmap.naive import batch

KEYS = Keys("test")
MOVED = key(Layer.MOVE, 0)


@dataclass
class Desk:
    """A Valkey with nothing in it, and one partition of it claimed."""

    server: Server
    url: str
    client: redis.Redis
    grids: Grids
    claim: Claim
    now_ms: int

    def batch(self, number: int = 0, **fields: Any) -> Batch:
        """A batch of now with one move, unless `fields` say otherwise."""
        known: dict[str, Any] = {
            "origin_ms": self.now_ms,
            "received_ms": self.now_ms,
            "move": [(0, 0, 0)],
        }
        return batch(**(known | {"number": number} | fields))

    def apply(
        self, first: int, batches: Sequence[Batch], epoch: int | None = None, partition: int = 3
    ) -> Outcome:
        """Apply these batches as the records from `first` on."""
        call = calls.packed(KEYS, batches, fold(batches), self.now_ms)
        epoch = self.claim.epoch if epoch is None else epoch
        return self.grids.apply(partition, epoch, first, first + len(batches), call)

    def everything(self) -> dict[bytes, bytes | None]:
        """All keys with their values as the server would dump them."""
        return {name: self.client.dump(name) for name in self.client.scan_iter()}

    def variant(self, one: Batch) -> Variant:
        return Variant(one.site, one.view_class, "human", one.version, one.page)

    def grid(self, level: str, one: Batch) -> str:
        return KEYS.grid(level, one.origin_ms // LEVEL_MS[level], self.variant(one))

    def counted(self, one: Batch, level: str = "1d") -> dict[int, int]:
        """What the bucket of a batch holds, by key."""
        buckets = {level: [one.origin_ms // LEVEL_MS[level]]}
        found = store.ask(self.client, store.tallies(KEYS, buckets, [self.variant(one)]))
        return dict(found.tolist())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    with own_valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
def desk(server: tuple[Server, str]) -> Iterator[Desk]:
    valkey = client(server[1])
    valkey.flushall()
    valkey.config_set("maxmemory", "256mb")
    seconds, microseconds = valkey.time()
    grids = Grids(valkey, KEYS)
    now_ms = seconds * 1000 + microseconds // 1000
    yield Desk(server[0], server[1], valkey, grids, grids.claim(3), now_ms)
    valkey.close()


def test_a_batch_counts_in_all_levels(desk: Desk) -> None:
    one = desk.batch()

    assert desk.apply(0, [one]) == Applied({})
    assert [desk.counted(one, level)[MOVED] for level in LEVELS] == [1, 1, 1, 1]
    assert desk.grids.claim(3).position == 1


def test_a_replay_changes_nothing(desk: Desk) -> None:
    desk.apply(0, [desk.batch(n) for n in range(3)])
    before = desk.everything()

    assert desk.apply(0, [desk.batch(n) for n in range(3)]) == Replayed()
    assert desk.apply(1, [desk.batch(1)]) == Replayed()
    assert desk.everything() == before


def test_an_older_epoch_is_fenced(desk: Desk) -> None:
    newer = desk.grids.claim(3)
    before = desk.everything()

    assert desk.apply(0, [desk.batch()], epoch=desk.claim.epoch) == Fenced()
    assert desk.everything() == before
    assert isinstance(desk.apply(0, [desk.batch()], epoch=newer.epoch), Applied)


@pytest.mark.parametrize("first", [3, 1])
def test_a_jump_is_a_gap(desk: Desk, first: int) -> None:
    desk.apply(0, [desk.batch(0), desk.batch(1)])
    before = desk.everything()

    assert desk.apply(first, [desk.batch(n) for n in (2, 3, 4)]) == Gap(2)
    assert desk.everything() == before


def test_a_repeated_batch_is_named_and_nothing_is_applied(desk: Desk) -> None:
    desk.apply(0, [desk.batch(5), desk.batch(700)])
    before = desk.everything()
    again = [desk.batch(4), desk.batch(5), desk.batch(6), desk.batch(6), desk.batch(700)]

    assert desk.apply(2, again) == Duplicates(frozenset({1, 3, 4}))
    assert desk.everything() == before


def test_the_rest_of_a_poll_counts_without_the_repeated_ones(desk: Desk) -> None:
    desk.apply(0, [desk.batch(5)])
    rest = [desk.batch(4), desk.batch(6)]

    call = calls.packed(KEYS, rest, fold(rest), desk.now_ms)
    assert isinstance(desk.grids.apply(3, desk.claim.epoch, 1, 4, call), Applied)
    assert desk.counted(desk.batch())[MOVED] == 3
    assert desk.grids.claim(3).position == 4


def test_a_repetition_in_another_partition_is_seen(desk: Desk) -> None:
    desk.apply(0, [desk.batch(5)])

    outcome = desk.apply(0, [desk.batch(5)], epoch=desk.grids.claim(4).epoch, partition=4)

    assert outcome == Duplicates(frozenset({0}))


@pytest.mark.parametrize("numbers", [[0], [65_535], [0, 7, 8, 65_535], list(range(40))])
def test_the_marks_are_bits_by_number(desk: Desk, numbers: list[int]) -> None:
    desk.apply(0, [desk.batch(n) for n in numbers])

    names = {KEYS.seen(7, n) for n in numbers}
    assert sum(desk.client.bitcount(name) for name in names) == len(numbers)
    assert all(desk.client.getbit(KEYS.seen(7, n), n % SEEN_BATCHES) for n in numbers)
    assert all(0 < desk.client.ttl(name) <= SEEN_S for name in names)


def test_a_far_number_makes_no_long_bitmap(desk: Desk) -> None:
    desk.apply(0, [desk.batch(65_535)])

    assert desk.client.strlen(KEYS.seen(7, 65_535)) <= SEEN_BATCHES // 8


def test_a_call_that_cannot_be_read_changes_nothing(desk: Desk) -> None:
    desk.apply(0, [desk.batch()])
    before = desk.everything()

    with pytest.raises(ResponseError):
        desk.grids.apply(3, desk.claim.epoch, 1, 2, (b"\xc1", b""))
    assert desk.everything() == before


def test_a_call_that_finds_no_room_changes_nothing_and_works_later(desk: Desk) -> None:
    desk.apply(0, [desk.batch()])
    before = desk.everything()
    desk.client.config_set("maxmemory", "1mb")

    with pytest.raises(OutOfMemoryError):
        desk.apply(1, [desk.batch(1)])
    assert desk.everything() == before

    desk.client.config_set("maxmemory", "256mb")
    assert isinstance(desk.apply(1, [desk.batch(1)]), Applied)
    assert desk.counted(desk.batch())[MOVED] == 2


def test_a_server_that_lost_its_scripts_gets_them_again(desk: Desk) -> None:
    desk.apply(0, [desk.batch()])
    desk.client.script_flush()

    assert isinstance(desk.apply(1, [desk.batch(1)]), Applied)


def test_a_killed_server_has_counts_and_position_of_the_same_moment(desk: Desk) -> None:
    for first in range(200):
        desk.apply(first, [desk.batch(first)])
    desk.server.kill()
    desk.server.start()

    claim = desk.grids.claim(3)
    assert desk.counted(desk.batch())[MOVED] == claim.position
    missing = [desk.batch(n) for n in range(claim.position, 201)]
    assert isinstance(desk.apply(claim.position, missing, claim.epoch), Applied)
    assert desk.counted(desk.batch())[MOVED] == 201


def test_a_server_that_lost_everything_asks_for_everything(desk: Desk) -> None:
    desk.apply(0, [desk.batch(0), desk.batch(1)])
    desk.client.flushall()

    assert desk.apply(2, [desk.batch(2)]) == Gap(0)


def test_buckets_are_kept_from_their_own_beginning_on(desk: Desk) -> None:
    one = desk.batch()
    desk.apply(0, [one])
    desk.apply(1, [desk.batch(1)])

    for level, width_ms in LEVEL_MS.items():
        begin_ms = desk.now_ms // width_ms * width_ms
        expires_s = desk.client.expiretime(desk.grid(level, one))
        assert expires_s == (begin_ms + KEEP_MS[level]) // 1000


def test_what_is_past_its_time_leaves_nothing(desk: Desk) -> None:
    old_ms = desk.now_ms - KEEP_MS["1m"]
    one = desk.batch(origin_ms=old_ms, received_ms=old_ms)
    desk.apply(0, [one])

    kept = [level for level in LEVELS if desk.client.exists(desk.grid(level, one))]
    assert kept == ["1h", "1d"]


def test_pages_and_variants_are_listed(desk: Desk) -> None:
    desk.apply(0, [desk.batch(), desk.batch(1, page="/a|b:1:x", version=""), desk.batch(2)])

    hour_ms = desk.now_ms // 3_600_000 * 3_600_000
    pages = store.ask(desk.client, store.pages(KEYS, "demo"))
    variants = store.ask(desk.client, store.variants(KEYS, "demo", "/a|b:1:x"))
    assert pages == {"/article": hour_ms, "/a|b:1:x": hour_ms}
    assert variants == [Variant("demo", "l", "human", "", "/a|b:1:x")]


def test_elements_are_known_by_their_id(desk: Desk) -> None:
    click = (0, 1, 0, 0, 0, 5, 5, 0)
    desk.apply(0, [desk.batch(click=[click], elements=["#buy", "main>p"])])
    desk.apply(1, [desk.batch(1, click=[click], elements=["#buy", "#new"])])

    ids = [element_id(name) for name in ("#buy", "#new", "#none")]
    found = store.ask(desk.client, store.elements(KEYS, "demo", "/article", ids))
    assert list(found.values()) == ["#buy", "#new"]


def test_a_page_has_so_many_elements_and_no_more(desk: Desk) -> None:
    for first in range(30):
        names = [f"#e{first}-{n}" for n in range(100)]
        desk.apply(first, [desk.batch(first, elements=names)])

    assert desk.client.hlen(KEYS.elements("demo", "/article")) <= calls.ELEMENTS_MAX
    assert desk.grids.claim(3).position == 30


def test_late_events_are_counted_by_page(desk: Desk) -> None:
    old = desk.batch(origin_ms=desk.now_ms - 3_700_000, move=[(0, 0, 0), (1, 0, 0)])
    desk.apply(0, [old])
    desk.apply(1, [desk.batch(1), desk.batch(2, origin_ms=old.origin_ms)])

    assert store.ask(desk.client, store.late(KEYS, "demo", "/article")) == 3
    assert store.ask(desk.client, store.late(KEYS, "demo", "/")) == 0


def test_people_who_are_here_are_told_until_they_say_good_bye(desk: Desk) -> None:
    def here() -> list[tuple[int, tuple[int, int] | None]]:
        asked = store.present(KEYS, "demo", "/article", desk.now_ms + 1)
        return [(view.view_id, view.band) for view in store.ask(desk.client, asked)]

    desk.apply(0, [desk.batch(view_id=1), desk.batch(view_id=2, at=None)])
    assert here() == [(1, (0, 900)), (2, None)]
    desk.apply(2, [desk.batch(1, view_id=1, at=(50, 950)), desk.batch(1, view_id=2, bye=True)])
    assert here() == [(1, (50, 950))]
    name = KEYS.here(presence.window(desk.now_ms), "demo", "/article")
    assert 0 < desk.client.ttl(name) <= presence.KEEP_S


def test_nobody_is_here_because_of_what_came_long_ago(desk: Desk) -> None:
    desk.apply(0, [desk.batch(received_ms=desk.now_ms - 20_000, origin_ms=desk.now_ms - 20_000)])

    assert desk.client.keys(f"{KEYS.prefix}:here:*") == []


def test_a_long_tally_is_named_and_merges_to_the_same_counts(desk: Desk) -> None:
    first, outcome = 0, Applied({})
    while not outcome.long:
        some = [desk.batch(first + n, move=[(0, x * 150, 0) for x in range(64)]) for n in range(9)]
        applied = desk.apply(first, some)
        assert isinstance(applied, Applied)
        outcome, first = applied, first + 9
    before = desk.counted(some[0])
    name = next(name for name in outcome.long if ":g:1d:" in name)
    expires_s = desk.client.expiretime(name)

    length = desk.grids.compact(3, desk.claim.epoch, name)

    assert length == desk.client.strlen(name) < outcome.long[name]
    assert (desk.counted(some[0]), desk.client.expiretime(name)) == (before, expires_s)


def test_a_merge_never_undoes_what_was_added_meanwhile(desk: Desk) -> None:
    one = desk.batch()
    desk.apply(0, [one, desk.batch(1)])
    name = desk.grid("1d", one)
    old = desk.client.get(name)
    assert isinstance(old, bytes)

    class Interrupted(redis.Redis):
        def get(self, name: Any) -> Any:
            desk.apply(2, [desk.batch(2)])
            return old

    slow = Grids(Interrupted.from_url(desk.url), KEYS)

    assert slow.compact(3, desk.claim.epoch, name) is None
    assert desk.counted(one)[MOVED] == 3


def test_a_fenced_worker_merges_nothing(desk: Desk) -> None:
    one = desk.batch()
    desk.apply(0, [one])
    before = desk.client.get(desk.grid("1d", one))
    desk.grids.claim(3)

    assert desk.grids.compact(3, desk.claim.epoch, desk.grid("1d", one)) is None
    assert desk.client.get(desk.grid("1d", one)) == before


def test_a_reader_gets_exactly_the_news(desk: Desk) -> None:
    one = desk.batch()
    place = (desk.variant(one), desk.now_ms // LEVEL_MS["5s"])
    gone = (desk.variant(one), 1)
    desk.apply(0, [one])
    first = store.ask(desk.client, store.tails(KEYS, {place: 0, gone: 0})).entries
    assert set(first) == {place}
    entries = first[place]
    assert entries is not None
    desk.apply(1, [desk.batch(1, move=[(0, 9_999, 0)])])

    news = store.ask(desk.client, store.tails(KEYS, {place: len(entries), gone: 5})).entries

    assert news[gone] is None
    added = news[place]
    assert added is not None
    whole = desk.client.get(desk.grid("5s", one))
    assert isinstance(whole, bytes)
    assert merged([entries, added]).tolist() == merged([tally(whole)]).tolist()
    assert key(Layer.MOVE, 63) in added["key"]


def test_a_claim_goes_on_where_the_results_end_with_the_next_epoch(desk: Desk) -> None:
    desk.apply(0, [desk.batch()])

    assert desk.grids.claim(3) == Claim(desk.claim.epoch + 1, 1)


def test_only_the_owner_moves_a_position(desk: Desk) -> None:
    newer = desk.grids.claim(3)

    desk.grids.move(3, desk.claim.epoch, 50)
    assert desk.grids.claim(3).position == 0
    desk.grids.move(3, newer.epoch + 1, 70)
    assert desk.grids.claim(3).position == 70


def test_the_first_salt_of_a_day_stays(desk: Desk) -> None:
    first = store.ask(desk.client, store.salt(KEYS, "2026-03-01", b"a" * 32))
    again = store.ask(desk.client, store.salt(KEYS, "2026-03-01", b"b" * 32))

    assert first == again == b"a" * 32


def test_a_page_is_watched_for_a_while(desk: Desk) -> None:
    store.ask(desk.client, store.watch(KEYS, "demo", "/article", desk.now_ms))

    def watched(after_ms: int) -> frozenset[str]:
        return store.ask(desk.client, store.watched(KEYS, desk.now_ms + after_ms))

    assert watched(9_999) == {"demo|/article"}
    assert watched(10_000) == frozenset()


def test_500_batches_of_as_many_pages_fit_into_one_call(desk: Desk) -> None:
    names = [f"#e{n}" for n in range(200)]
    some = [
        desk.batch(n, page=f"/{n}", view_id=n, elements=names if n == 0 else ["#buy"])
        for n in range(500)
    ]

    assert isinstance(desk.apply(0, some), Applied)
    assert len(store.ask(desk.client, store.pages(KEYS, "demo"))) == 500


def test_the_call_says_what_the_script_reads() -> None:
    one = batch(move=[(0, 0, 0)])
    call, parts = calls.packed(KEYS, [one], fold([one]), one.received_ms)
    read = msgspec.msgpack.decode(call)

    assert [level["name"] for level in read["levels"]] == list(LEVELS)
    assert [level["merges"] for level in read["levels"]] == [False, True, True, True]
    # Three entries, which the four levels share, and one word of presence.
    assert len(parts) == 3 * 16 + len(presence.word(one))
