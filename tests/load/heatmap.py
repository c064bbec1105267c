"""Locust users of the collector: each posts the visits of many visitors, one batch after another.

`make load SERVICE=heatmap` runs it. A batch is what a tracker sends every five seconds. Each
visitor has an address of their own, so that it is not the limit for one client that is measured.
"""

import secrets
from collections import Counter
from collections.abc import Iterator

from locust import FastHttpUser, events, task
from locust.env import Environment

from services.heatmap.visiting.batches import Batch, batch
from services.heatmap.visiting.crowd import Crowd
from services.heatmap.visiting.pages import choices
from services.heatmap.visiting.tracker import FLUSH_MS
from services.heatmap.visiting.visits import Visit
from tests.load.here import require_loopback, stay_here

TAKEN, REFUSED = "taken", "refused for now"
SHEDS = (429, 503)
ITEMS = [str(number) for number in range(22_000, 22_024)]
PERCENTILES = (0.5, 0.95, 0.99)


def batches(visit: Visit) -> Iterator[Batch]:
    """A visit cut as its tracker cuts it."""
    for number, begin_ms in enumerate(range(0, visit.ends_ms, FLUSH_MS)):
        end_ms = min(begin_ms + FLUSH_MS, visit.ends_ms)
        yield batch(visit, number, begin_ms, end_ms, bye=end_ms == visit.ends_ms)


def report(environment: Environment, **_: object) -> None:
    """Print what the collector took, how fast it answered, and what it refused."""
    taken = environment.stats.get(TAKEN, "POST")
    refused = environment.stats.get(REFUSED, "POST").num_requests
    total = environment.stats.total
    seconds = max((total.last_request_timestamp or 0) - total.start_time, 1e-9)
    milliseconds = (taken.get_response_time_percentile(share) for share in PERCENTILES)
    p50, p95, p99 = (f"{value or 0:.0f}" for value in milliseconds)
    print(
        f"{taken.num_requests / seconds:,.0f} batches/s, {EVENTS[TAKEN] / seconds:,.0f} events/s, "
        f"{p50} ms at p50, {p95} ms at p95, {p99} ms at p99, {refused:,} batches refused for now"
    )


EVENTS: Counter[str] = Counter()
CROWD = Crowd(secrets.randbits(64), choices(ITEMS))
events.init.add_listener(stay_here)  # type: ignore[no-untyped-call]
events.quitting.add_listener(report)  # type: ignore[no-untyped-call]


class Visitors(FastHttpUser):
    """Posts batches as fast as they are answered."""

    def on_start(self) -> None:
        require_loopback(self.host or "")

    @task
    def visit(self) -> None:
        visit = CROWD.next_visit()
        headers = {
            "Content-Type": "text/plain;charset=UTF-8",
            "User-Agent": visit.visitor.agent,
            "X-Forwarded-For": visit.visitor.address,
        }
        for one in batches(visit):
            self._post(one, one.body(visit.ends_ms).decode(), headers)

    def _post(self, one: Batch, body: str, headers: dict[str, str]) -> None:
        with self.client.post(
            "/collect", data=body, headers=headers, name=TAKEN, catch_response=True
        ) as answer:
            if answer.status_code in SHEDS:
                # It sheds load and says so, which is an answer, not a failure.
                answer.request_meta["name"] = REFUSED
                answer.success()
            elif answer.status_code == 200:
                EVENTS[TAKEN] += one.events
