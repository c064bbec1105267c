"""The web application that every service is: the same ids, logs, metrics, health and errors."""

import gc
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import uvicorn
from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from services.common import docs, errors, health
from services.common.access import AccessMiddleware, RequestMetrics
from services.common.health import Check
from services.common.hosts import HostsMiddleware
from services.common.segments import GatheringProtocol

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

SHUTDOWN_S = 5
GARBAGE_THRESHOLDS = (20_000, 10, 100)
START_FAILED = 3
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def create_app(
    *,
    title: str,
    description: str,
    checks: Mapping[str, Check],
    unavailable: Mapping[type[Exception], str],
    lifespan: Lifespan | None = None,
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """An application without routes of its own but with everything that services share.

    checks: what must answer for this service to be ready, by the name of the part.
    unavailable: exceptions that mean a part is away, with the sentence that says so.
    registry: the service's own metrics; /metrics adds those of requests and process.
    """
    app = FastAPI(
        title=title,
        description=description,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=_problems(404, 422, 503),
    )
    # Answers without an end ask this; the server is told to stop before it waits for them.
    app.state.is_stopping = lambda: False
    registry = registry or CollectorRegistry()
    errors.install(app, unavailable)
    app.include_router(health.routes(checks))
    _serve_metrics(app, registry)
    docs.install(app)
    # The last one added is the outermost, so the access log knows the id.
    app.add_middleware(AccessMiddleware, metrics=RequestMetrics(registry))
    app.add_middleware(
        CorrelationIdMiddleware, validator=lambda given: bool(_REQUEST_ID.fullmatch(given))
    )
    return app


def serve(
    app: FastAPI, host: str, port: int, allowed_hosts: str = "", *, front: ASGIApp | None = None
) -> None:
    """Run the application until it is told to stop; requests under way get a few seconds.

    allowed_hosts: the names it may be asked by, separated by commas; empty: any.
    front: what stands before the application and hands on to it what it doesn't answer itself.
    """
    if allowed_hosts:
        # The innermost, so that what it refuses is counted and logged.
        app.user_middleware.append(Middleware(HostsMiddleware, names=allowed_hosts.split(",")))
    config = uvicorn.Config(
        front or app,
        host=host,
        port=port,
        loop="uvloop",
        http=GatheringProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = uvicorn.Server(config)
    _collect_rarely()
    app.state.is_stopping = lambda: server.should_exit
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(START_FAILED)


def _collect_rarely() -> None:
    # Nearly all garbage goes by reference counts; looking for cycles among requests under way and
    # among all that was imported costs a busy process a tenth of its time.
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _serve_metrics(app: FastAPI, registry: CollectorRegistry) -> None:
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)

    @app.get("/metrics", tags=["operation"], summary="Measurements, in Prometheus' text format")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    meaning = {404: "No such thing", 422: "Bad input", 503: "A part is away; try again"}
    return {
        status: {"model": errors.Problem, "description": meaning[status]} for status in statuses
    }
