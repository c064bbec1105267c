"""The contract of the SQL function recommend(), against an independent way of working it out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.common.postgres import migrate
from tests.stack.shop import SCHEMA, SmallShop, Thing, serve_model

DEPTH_SEED, DEPTH_HISTORY = 50, 20


@dataclass(frozen=True)
class Asked:
    seed: str
    customer: str | None
    exclude: tuple[str, ...]
    n: int
    cap: int


@dataclass(frozen=True)
class Row:
    place: int
    item_id: str
    score: float
    stage: str
    because: str | None


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """A migrated database whose every transaction is taken back."""
    with psycopg.connect(database_url) as connection:
        migrate(connection, "recommender", SCHEMA)
        connection.commit()
        yield connection
        connection.rollback()


def answer(connection: psycopg.Connection, asked: Asked) -> list[Row]:
    arguments = [asked.seed, asked.customer, list(asked.exclude), asked.n, asked.cap]
    rows = connection.execute("select * from recommend(%s, %s, %s, %s, %s)", arguments)
    return [Row(*row) for row in rows]


def eligible(shop: SmallShop, asked: Asked) -> dict[str, Thing]:
    """What may be shown at all."""
    bought = set(shop.bought) if asked.customer == "c" else set()
    barred = bought | set(asked.exclude) | {asked.seed}
    return {t.item_id: t for t in shop.things if t.active and t.stock and t.item_id not in barred}


def under_cap(things: list[Thing], cap: int, taken: Counter[str]) -> list[Thing]:
    """The first things of each family, as many as the cap leaves room for."""
    room, kept = Counter(taken), []
    for thing in things:
        if room[thing.family_id] < cap:
            room[thing.family_id] += 1
            kept.append(thing)
    return kept


def proposed(shop: SmallShop, asked: Asked) -> tuple[set[str], dict[str, set[str]]]:
    """What the seed proposes, and what each recent purchase proposes."""
    if not shop.model:
        return set(), {}
    recent = [i for i in reversed(shop.bought) if i != asked.seed][:20]
    of_seed = set(shop.neighbours.get(asked.seed, ())[:DEPTH_SEED])
    known = asked.customer == "c"
    return of_seed, {i: set(shop.neighbours.get(i, ())[:DEPTH_HISTORY]) for i in recent if known}


def fill(shop: SmallShop, asked: Asked, personal: list[Thing]) -> list[tuple[str, str]]:
    """The rows after the personal ones: by category, then by the whole shop, most sold first."""
    may = eligible(shop, asked)
    sold = Counter(shop.sold)
    shown = {t.item_id for t in personal}
    home = {t.category for t in shop.things if t.item_id == asked.seed}
    rest = [t for t in may.values() if t.item_id not in shown]
    ranked = sorted(rest, key=lambda t: (t.category not in home, -sold[t.item_id], t.item_id))
    kept = under_cap(ranked, asked.cap, Counter(t.family_id for t in personal))
    stages = {True: "category", False: "popular"}
    return [(t.item_id, stages[t.category in home]) for t in kept][: asked.n - len(personal)]


def check(shop: SmallShop, asked: Asked, rows: list[Row]) -> None:
    may = eligible(shop, asked)
    of_seed, of_history = proposed(shop, asked)
    possible = len(under_cap(list(may.values()), asked.cap, Counter()))
    personal = [row for row in rows if row.stage in ("together", "history")]
    candidates = [t for i, t in may.items() if i in of_seed.union(*of_history.values())]

    assert len(rows) == min(asked.n, possible)
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    assert len({row.item_id for row in rows}) == len(rows)
    assert {row.item_id for row in rows} <= set(may)
    assert max(Counter(may[row.item_id].family_id for row in rows).values(), default=0) <= asked.cap

    assert len(personal) == min(asked.n, len(under_cap(candidates, asked.cap, Counter())))
    assert rows[: len(personal)] == sorted(personal, key=lambda row: (-row.score, row.item_id))
    assert [(row.item_id, row.stage) for row in rows[len(personal) :]] == fill(
        shop, asked, [may[row.item_id] for row in personal]
    )
    for row in rows:
        speak_for_it: set[str | None] = {i for i, near in of_history.items() if row.item_id in near}
        assert row.because in (speak_for_it or {None})
        assert row.stage != "history" or row.because
        assert row.stage != "together" or row.item_id in of_seed


IDS = [f"i{n:02}" for n in range(14)]
THINGS = st.tuples(
    *(
        st.builds(
            Thing,
            item_id=st.just(i),
            family_id=st.sampled_from(["f0", "f1", "f2", i]),
            category=st.sampled_from(["cup", "bag"]),
            stock=st.sampled_from([0, 1, 9]),
            active=st.sampled_from([True, True, True, False]),
        )
        for i in IDS
    )
)
SOME = st.lists(st.sampled_from(IDS), unique=True, max_size=9).map(tuple)
SHOPS = st.builds(
    SmallShop,
    things=THINGS,
    bought=SOME,
    sold=st.lists(st.sampled_from(IDS), max_size=20).map(tuple),
    neighbours=st.dictionaries(st.sampled_from(IDS), SOME, max_size=8).map(
        lambda near: {i: tuple(j for j in js if j != i) for i, js in near.items()}
    ),
    model=st.sampled_from([True, True, True, False]),
)
QUESTIONS = st.builds(
    Asked,
    seed=st.sampled_from([*IDS, "not an item"]),
    customer=st.sampled_from(["c", "c", None, "nobody"]),
    exclude=SOME,
    n=st.integers(1, 20),
    cap=st.integers(1, 3),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shop=SHOPS, questions=st.lists(QUESTIONS, min_size=3, max_size=3))
def test_every_answer_of_every_small_shop_keeps_the_contract(
    connection: psycopg.Connection, shop: SmallShop, questions: list[Asked]
) -> None:
    connection.rollback()
    shop.fill(connection)
    for asked in questions:
        check(shop, asked, answer(connection, asked))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shop=SHOPS, asked=QUESTIONS)
def test_a_generic_plan_gives_the_same_answer(
    connection: psycopg.Connection, shop: SmallShop, asked: Asked
) -> None:
    connection.rollback()
    shop.fill(connection)
    custom = answer(connection, asked)

    connection.execute("set local plan_cache_mode = force_generic_plan")

    arguments = [asked.seed, asked.customer, list(asked.exclude), asked.n, asked.cap]
    generic = connection.execute(
        "select * from recommend(%s, %s, %s, %s, %s)", arguments, prepare=True
    )
    assert [Row(*row) for row in generic] == custom


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shop=SHOPS, asked=QUESTIONS)
def test_what_is_bought_or_sold_out_leaves_the_next_answer(
    connection: psycopg.Connection, shop: SmallShop, asked: Asked
) -> None:
    assume(asked.customer == "c")
    connection.rollback()
    shop.fill(connection)
    before = answer(connection, asked)
    assume(len(before) >= 2)

    connection.execute("insert into purchase values ('c', %s, 1, now())", [before[0].item_id])
    connection.execute("update item set stock = 0 where item_id = %s", [before[1].item_id])

    after = {row.item_id for row in answer(connection, asked)}
    assert not after & {before[0].item_id, before[1].item_id}


def test_a_neighbour_of_seed_and_history_gets_the_sum_of_both(
    connection: psycopg.Connection,
) -> None:
    things = tuple(Thing(i, family_id=i) for i in ("seed", "had", "both", "one"))
    near = {"seed": ("one", "both"), "had": ("both",)}
    SmallShop(things, bought=("had",), neighbours=near).fill(connection)

    rows = answer(connection, Asked("seed", "c", (), 2, 2))

    assert [(r.item_id, r.stage, r.because) for r in rows] == [
        ("both", "history", "had"),
        ("one", "together", None),
    ]


def test_the_answer_is_of_the_version_that_the_alias_names(
    connection: psycopg.Connection,
) -> None:
    things = tuple(Thing(i, family_id=i) for i in ("seed", "old", "new"))
    SmallShop(things, neighbours={"seed": ("old",)}).fill(connection)
    asked = Asked("seed", None, (), 1, 2)

    before = answer(connection, asked)[0].item_id
    serve_model(connection, {"seed": ("new",)}, serve=False)
    trained = answer(connection, asked)[0].item_id
    serve_model(connection, {"seed": ("new",)})
    published = answer(connection, asked)[0].item_id

    assert (before, trained, published) == ("old", "old", "new")
