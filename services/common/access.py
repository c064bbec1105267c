"""What is measured and logged of every request, whatever the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.log import get_logger

BUCKETS_S = (0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = frozenset({"/livez", "/readyz", "/metrics"})


class RequestMetrics:
    """Requests by route template, method and status, their latency, and how many are under way."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["route", "method"]
        self.total = Counter(
            "http_requests_total", "Requests answered.", [*labels, "status"], registry=registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Time to the end of the answer.",
            labels,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.running = Gauge("http_requests_running", "Requests under way.", registry=registry)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        with self.running.track_inprogress():
            yield

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        known = method if method in METHODS else "other"
        self.total.labels(route, known, str(status)).inc()
        self.seconds.labels(route, known).observe(seconds)


class AccessMiddleware:
    """Count, time and log each request once, when its answer has been sent or has failed."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                spent_ms = (perf_counter() - started) * 1000
                MutableHeaders(scope=message)["Server-Timing"] = f"app;dur={spent_ms:.1f}"
            await send(message)

        with self.metrics.under_way():
            try:
                await self.app(scope, receive, watch)
            finally:
                self._record(scope, status, perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # The template, not the path: one series per route, however many items there are.
        static = isinstance(scope.get("endpoint"), StaticFiles)
        unnamed = "static" if static else "unmatched"
        route = getattr(scope.get("route"), "path", None) or unnamed
        self.metrics.observe(route, scope["method"], status, seconds)
        log = get_logger()
        (log.debug if route in QUIET else log.info)(
            "request",
            method=scope["method"],
            path=scope["path"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
        )
