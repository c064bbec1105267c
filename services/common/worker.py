"""A process that works in a loop: the loop in a thread, health and metrics over HTTP beside it."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.common.health import Check
from services.common.settings import Settings
from services.common.web import create_app, serve

Work = Callable[[threading.Event], None]
"""Works until the event is set; what it raises ends the process."""


class Background:
    """Work in a thread of its own, from `start` to `stop`.

    on_failure: called in the thread when the work ends by itself.
    """

    def __init__(self, name: str, work: Work, on_failure: Callable[[], None]) -> None:
        self._work = work
        self._on_failure = on_failure
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the work has come to its end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work(self._stopping)
        finally:
            # Whatever it raised is shown by the thread's end; here it only matters that it ended.
            if not self._stopping.is_set():
                self._on_failure()


def run_worker(
    settings: Settings,
    port: int,
    *,
    title: str,
    description: str,
    work: Work,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
) -> None:
    """Work until SIGTERM or Ctrl-C, which let the loop end its step; answer for it at `port`.

    When the work fails, the process shows why and ends too, so that whoever started it sees it.
    """
    background = Background(title, work, lambda: os.kill(os.getpid(), signal.SIGTERM))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        background.start()
        yield
        await asyncio.to_thread(background.stop)

    app = create_app(
        title=title,
        description=description,
        checks=checks,
        unavailable={},
        lifespan=lifespan,
        registry=registry,
    )
    serve(app, settings.host, port, settings.allowed_hosts)
