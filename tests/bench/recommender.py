"""`make bench SERVICE=recommender`: what one answer costs, in time and in CPU.

On the running demo, otherwise on one of its own with its data in STATE_DIR/bench. Visits are drawn
with a fixed seed: items as often as they are bought, every second visitor a guest.
"""

import os
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import psycopg

from infra.stack.machine import is_running
from infra.stack.sessions import Ledger
from services.common.figures import Figure, record
from services.common.settings import load_settings
from tests.demo import Demo, own_settings, running_demo

COMMAND = "make bench SERVICE=recommender"
VISITS = 2000
NAIVE_VISITS = 300
RECOMMEND = "select * from recommend(%s, %s, '{}', 5)"
NAIVE = (Path(__file__).parent / "naive.sql").read_text()

DEMO = ("make", "--no-print-directory", "demo", "ONLY=recommender")

Visit = tuple[str, str | None]


def main() -> None:
    with demo_to_measure() as demo:
        with psycopg.connect(demo.environment()["POSTGRES_URL"], autocommit=True) as connection:
            visits = draw_visits(connection)
            statement_ms = times_ms(lambda v: ask_database(connection, RECOMMEND, v), visits)
            naive_ms = naive_times_ms(connection, visits[:NAIVE_VISITS])
        with httpx2.Client(base_url=demo.url("RECOMMENDER_PORT")) as client:
            cpu_before_s = cpu_s(demo)
            request_ms = times_ms(lambda v: ask_api(client, v), visits)
            requests_per_cpu_s = len(visits) / (cpu_s(demo) - cpu_before_s)
    report(statement_ms, naive_ms, request_ms, requests_per_cpu_s)


@contextmanager
def demo_to_measure() -> Iterator[Demo]:
    """The demo that runs with these settings, otherwise one that is started for this."""
    settings = load_settings()
    if is_running(settings.state_dir):
        yield Demo(dict(os.environ), settings.state_dir, 0.0)
        return
    state_dir = settings.state_dir / "bench"
    state_dir.mkdir(parents=True, exist_ok=True)
    with running_demo(own_settings(state_dir), state_dir / "demo.log", DEMO) as demo:
        yield demo


def draw_visits(connection: psycopg.Connection) -> list[Visit]:
    """Pairs of item and customer, as orders have them; every second customer is forgotten."""
    rows = connection.execute(
        "select item_id, customer_id from order_line join orders using (order_id) "
        "where customer_id is not null order by order_id, line_no"
    ).fetchall()
    drawn = random.Random(5).choices(rows, k=VISITS)
    return [(item, customer if i % 2 else None) for i, (item, customer) in enumerate(drawn)]


def times_ms(ask: Callable[[Visit], object], visits: Iterable[Visit]) -> list[float]:
    """How long each visit took, one after the other."""
    taken_ms = []
    for visit in visits:
        began_s = time.perf_counter()
        ask(visit)
        taken_ms.append((time.perf_counter() - began_s) * 1000)
    return sorted(taken_ms)


def naive_times_ms(connection: psycopg.Connection, visits: list[Visit]) -> list[float]:
    """The same for the naive answer, with the index that it needs and the schema does not have."""
    with connection.transaction(force_rollback=True):
        connection.execute("create index on order_line (item_id)")
        return times_ms(lambda v: connection.execute(NAIVE, [v[0]]).fetchall(), visits)


def ask_database(connection: psycopg.Connection, statement: str, visit: Visit) -> None:
    rows = connection.execute(statement, visit, prepare=True).fetchall()
    assert len(rows) == 5, f"{visit} got {len(rows)} items."


def ask_api(client: httpx2.Client, visit: Visit) -> None:
    item, customer = visit
    query = "" if customer is None else f"?{urlencode({'customer_id': customer})}"
    answer = client.get(f"/v1/items/{item}/recommendations{query}")
    assert answer.status_code == 200, answer.text


def cpu_s(demo: Demo) -> float:
    """CPU seconds that the API and the database have used so far, ended children included."""
    members = Ledger(demo.state_dir / "sessions.json").processes("recommender", "postgres")
    return sum(sum(member.cpu_times()[:4]) for member in members)


def report(
    statement_ms: list[float],
    naive_ms: list[float],
    request_ms: list[float],
    requests_per_cpu_s: float,
) -> None:
    timed = {"query": statement_ms, "naive_query": naive_ms, "request": request_ms}
    figures = [
        Figure(f"recommender.{name}_{label}_ms", round(value, 2), "ms", COMMAND, spread(ms))
        for name, ms in timed.items()
        for label, value in (("p50", statistics.median(ms)), ("p99", ms[int(len(ms) * 0.99)]))
    ]
    rate = Figure("recommender.requests_per_cpu_s", round(requests_per_cpu_s), "1/s", COMMAND)
    for figure in (*figures, rate):
        print(f"{figure.name:<36} {figure.value:>10} {figure.unit:<4} {figure.spread or ''}")
    record(load_settings().results_dir, *figures, rate)


def spread(ms: list[float]) -> str:
    quarter = len(ms) // 4
    return f"quartiles {ms[quarter]:.2f}..{ms[3 * quarter]:.2f}, slowest {ms[-1]:.2f}"


if __name__ == "__main__":
    main()
