"""A page of its own for each test: visits to it, as trackers post them, and streams about it."""

import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.waiting import until

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{}.0.0.0"
DEADLINE_S = 60
CELL = 100 * 64 + 32
"""Where a click into the middle of the page is counted."""


@dataclass
class Heard:
    """One event of a stream."""

    kind: str
    id: str
    data: dict[str, Any]

    def clicks(self) -> dict[int, int]:
        """Clicks by cell, all buckets together."""
        found: dict[int, int] = {}
        for part in self.data["buckets"].values():
            for cell, count in part.get("layers", {}).get("click", ()):
                found[cell] = found.get(cell, 0) + count
        return found


@dataclass
class HeatPage:
    """A page that nobody else visits, on a running heat map."""

    client: httpx2.Client
    page: str = field(default_factory=lambda: f"/test/{uuid.uuid4().hex}")

    def visit(
        self, *, x: int = 5000, y: int = 5000, clicks: int = 1, browser: int = 3, **fields: Any
    ) -> dict[str, Any]:
        """Post one page view with clicks at a place; give the collector's reply.

        browser: visitors of different browsers are different visitors.
        """
        body = {
            "v": 1, "site": "demo", "page": self.page, "n": 0,
            "id": base64.urlsafe_b64encode(uuid.uuid4().bytes[:8]).decode().rstrip("="),
            "w": 1440, "h": 900, "dh": 5200, "age": 500, "at": [0, 1700], "els": ["#buy"],
            "click": [100, 1, x, y, 0, 512, 300, 0] * clicks,
            "view": [0, 400, 0, 1700], "reach": [0, -1, 1700],
        } | fields  # fmt: skip
        answer = self.client.post(
            "/collect",
            content=json.dumps(body),
            headers={"Content-Type": "text/plain", "User-Agent": AGENT.format(browser)},
        )
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()
        return reply

    def ask(self, route: str = "heat", **query: Any) -> httpx2.Response:
        query = {"site": "demo", "page": self.page, "last": "10m", **query}
        return self.client.get(f"/v1/{route}", params={k: str(v) for k, v in query.items()})

    def heat(self, **query: Any) -> dict[str, Any]:
        answer = self.ask(**query)
        assert answer.status_code == 200, answer.text
        heat: dict[str, Any] = answer.json()
        return heat

    def clicks(self, **query: Any) -> dict[int, int]:
        """Clicks by cell; none while nobody is known to have visited the page."""
        answer = self.ask(**query)
        return dict(answer.json()["layers"]["click"]) if answer.status_code == 200 else {}

    def wait_for(self, clicks: dict[int, int], **query: object) -> None:
        """Wait until exactly these clicks are counted."""
        until(lambda: self.clicks(**query) == clicks, DEADLINE_S)

    @contextmanager
    def listening(self, after: str | None = None, **query: str) -> Iterator[Iterator[Heard]]:
        """The events of a stream; it breaks off when the block ends."""
        headers = {"Last-Event-ID": after} if after else {}
        query = {"site": "demo", "page": self.page, **query}
        with self.client.stream(
            "GET", "/v1/live", params=query, headers=headers, timeout=DEADLINE_S
        ) as answer:
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[Heard]:
    """Server-sent events out of lines; comments are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "event" in fields:
            yield Heard(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            fields = {}
        else:
            fields = {}


def clicks_heard(events: Iterator[Heard], wanted: int) -> tuple[dict[int, int], str]:
    """Clicks by cell of as many deltas as have so many, and the last one's id."""
    found: dict[int, int] = {}
    for event in events:
        assert event.kind == "delta"
        for cell, count in event.clicks().items():
            found[cell] = found.get(cell, 0) + count
        if sum(found.values()) >= wanted:
            return found, event.id
    raise AssertionError(f"The stream ended after {found}.")
