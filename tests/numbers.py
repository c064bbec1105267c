"""A collector of lists of numbers, for tests of the collector that know nothing of heat maps.

As a program it serves one: `python -m tests.numbers BOOTSTRAP PREFIX PORT`.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.common import log
from services.common.collect import CollectAt, Collector, Limits
from services.common.collect_metrics import CollectMetrics
from services.common.kafka import HOUR_MS, Topic, ready_producer
from services.common.outbox import Outbox
from services.common.reading import Reading, RefusedError, Rejected, Sender
from services.common.senders import Senders
from services.common.web import create_app, serve

PATH = "/collect"


class Numbers:
    """Reads a list of numbers: those below 0 are invalid, and all are when one is text."""

    def read(self, body: bytes, sender: Sender) -> Reading:
        if body == b"broken":
            raise ZeroDivisionError("secret")
        try:
            numbers = json.loads(body)
        except ValueError as error:
            raise RefusedError("The body is not JSON.") from error
        if any(isinstance(number, str) for number in numbers):
            raise RefusedError("The body has text, but may have only numbers.")
        kept = [number for number in numbers if number >= 0]
        who = [sender.is_bot, sender.is_staff, sender.visitor("site")]
        return Reading(
            key="site|page",
            value=json.dumps({"kept": kept, "who": who}).encode() if kept else None,
            events=len(kept),
            salt=len(body) % 4,
            subject="page",
            rejected=[
                Rejected(f"number[{i}]", "It is below 0.", number)
                for i, number in enumerate(numbers)
                if number < 0
            ],
        )


def reply(subject: str) -> Mapping[str, Any]:
    return {"flush_ms": 5000, "about": subject}


def application(outbox: Outbox, limits: Limits, prefix: str = "numbers") -> FastAPI:
    """The application as a service would build it."""
    registry = CollectorRegistry()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(outbox.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    app = create_app(
        title="Numbers",
        description="",
        checks={"kafka": outbox.check},
        unavailable={},
        lifespan=lifespan,
        registry=registry,
    )
    collector = Collector(
        schema=Numbers(),
        reply=reply,
        topic=prefix,
        dead_topic=f"{prefix}-dead",
        outbox=outbox,
        senders=Senders(lambda: b"salt"),
        limits=limits,
        metrics=CollectMetrics(registry),
    )
    app.add_middleware(CollectAt, path=PATH, collector=collector)
    return app


def main() -> None:
    bootstrap, prefix, port = sys.argv[1:]
    log.configure("INFO", "numbers")
    topics = (Topic(prefix, HOUR_MS), Topic(f"{prefix}-dead", HOUR_MS))
    outbox = Outbox(lambda: ready_producer(bootstrap, topics))
    serve(application(outbox, Limits(client_per_s=100_000), prefix), "127.0.0.1", int(port))


if __name__ == "__main__":
    main()
