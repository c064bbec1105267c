"""The heat map over HTTP: the collector, what pages show, as it happens and for past times."""

import asyncio
import pathlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import FastAPI, Header, HTTPException, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from kafka.errors import KafkaError
from prometheus_client import CollectorRegistry
from redis.exceptions import ConnectionError as AwayError
from redis.exceptions import TimeoutError as SilentError
from starlette.types import ASGIApp

from services.common import log
from services.common.collect import CollectAt, Collector, Limits
from services.common.collect_metrics import CollectMetrics
from services.common.errors import problem
from services.common.health import Check
from services.common.kafka import ready_producer
from services.common.outbox import Outbox
from services.common.pages import Pages as Files
from services.common.senders import Senders, networks
from services.common.settings import Settings, load_settings
from services.common.tasks import vital
from services.common.web import Lifespan, create_app, serve
from services.heatmap.answers import Dial, Heat, Lag, Layer, Pages, Sites
from services.heatmap.asking import Heat as HeatStore
from services.heatmap.asking import UnknownError
from services.heatmap.board import Board, connect
from services.heatmap.events import HeatSchema
from services.heatmap.filters import AskedFor, SpanFor
from services.heatmap.front_door import FrontDoor
from services.heatmap.grid import COLUMNS, ROWS
from services.heatmap.keys import Keys
from services.heatmap.lag import Ends, TopicEnds, lag
from services.heatmap.live import BusyError, Streams
from services.heatmap.looking import Looking
from services.heatmap.origins import ReadableFrom, listed
from services.heatmap.scripts import Scripts
from services.heatmap.topics import DEAD, EVENTS, TOPICS

WEB = pathlib.Path(__file__).parent / "web"
VALKEY_AWAY = "The store of the heat map (Valkey) does not answer just now; please try again."
KAFKA_AWAY = "Kafka does not answer just now; please try again in a moment."
UNAVAILABLE: dict[type[Exception], str] = {
    AwayError: VALKEY_AWAY,
    SilentError: VALKEY_AWAY,
    KafkaError: KAFKA_AWAY,
}
WIDTH_PX, WIDTH_MAX_PX, HEIGHT_MAX_PX = 640, 1600, 6000
DESCRIPTION = """
What visitors of a page see and click, while they do, and for past times.

A page is divided into 64 columns and 200 rows. Counts are by cell; what was on screen is by row.
With `k` a cell of points is left out (and counted in `hidden_cells`) unless at least k different
visitors are proven in it; rows, spots and the bands of who is here are left out unless so many are
proven on the page. Visitors are proven by a fingerprint of 64 bits in which they may share a bit,
so that on one day a proof can fall short of the truth, never beyond it. A visitor is a browser at
an address on a day: who comes on several days is several.
"""
LIVE = """
First an event `snapshot`: what happened in the last 60 s, by buckets of 5 s. Then, at most four
times a second and only when there is news, an event `delta`: what came since, to be added. Another
`snapshot` replaces everything; it comes when adding up can't go on. `away` says that the store does
not answer for now, `back` that it does again without news. With `k` there are only snapshots, at
most one a second.

    {"t": 1782000000123, "here": 12, "bands": [200 rows], "elements": {"51234567": "#buy"},
     "buckets": {"356400000": {"visits": 1, "layers": {"click": [[3234, 1]]},
      "spots": [[1, 51234567, 512, 300, 3234, 1]], "view": [[0, 250], [34, -250]], "reach": []}}}

`view` and `reach` are steps at the edges of rows: a row has the sum of the steps up to it. Events
that are over a minute late are not in the stream, but in `/v1/heat`. Each event's id says how far
the reader is: `Last-Event-ID`, or `after`, goes on with exactly what was missed, for 10 minutes.
"""
BUSY_RETRY_S = 5
OVERLAY = '<script src="/overlay.js" data-site="demo" async></script>'
TAGS = ("heat", "pages", "operation")


def build(
    looking: Looking,
    streams: Streams,
    ends: Ends,
    checks: dict[str, Check],
    *,
    origins: Collection[str] = (),
    lifespan: Lifespan | None = None,
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """The application over any heat, without the collector; tests hand in their own."""
    app = create_app(
        title="Live heat map",
        description=DESCRIPTION,
        checks=checks,
        unavailable=UNAVAILABLE,
        lifespan=lifespan,
        registry=registry,
    )
    app.openapi_tags = [{"name": name} for name in TAGS]
    app.add_exception_handler(UnknownError, _unknown)
    app.add_exception_handler(BusyError, _busy)
    app.add_middleware(ReadableFrom, origins=origins)
    _serve_heat(app, looking, streams)
    _serve_pictures(app, looking)
    _serve_pages_api(app, looking)
    _serve_operation(app, looking.heat, ends)
    _serve_scripts(app)
    _serve_pages(app)
    return app


def _serve_heat(app: FastAPI, looking: Looking, streams: Streams) -> None:
    @app.get("/v1/heat", tags=["heat"], summary="A page in a span of time")
    async def heat(asked: AskedFor, span: SpanFor) -> Heat:
        return await looking.heat_of(asked, span)

    @app.get(
        "/v1/live",
        tags=["heat"],
        summary="A page as it happens, as server-sent events",
        description=LIVE,
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def live(
        asked: AskedFor,
        after: Annotated[str | None, Query(description="where to go on: an event's id")] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        await looking.require(asked)
        streams.require_room()
        return StreamingResponse(
            streams.events(asked, last_event_id or after, app.state.is_stopping),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _serve_pictures(app: FastAPI, looking: Looking) -> None:
    @app.get(
        "/v1/picture.png",
        tags=["heat"],
        summary="One layer as a picture with a legend",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    async def picture(
        asked: AskedFor,
        span: SpanFor,
        layer: Layer = "click",
        width: Annotated[int, Query(ge=64, le=WIDTH_MAX_PX, description="in pixels")] = WIDTH_PX,
        height: Annotated[
            int | None,
            Query(ge=64, le=HEIGHT_MAX_PX, description="without the legend; absent: square cells"),
        ] = None,
    ) -> Response:
        high_px = height or min(HEIGHT_MAX_PX, width * ROWS // COLUMNS)
        drawn = await looking.picture(asked, span, layer, width, high_px)
        return Response(drawn, media_type="image/png", headers={"Cache-Control": "no-store"})


def _serve_pages_api(app: FastAPI, looking: Looking) -> None:
    @app.get("/v1/sites", tags=["pages"], summary="The sites whose trackers are heard")
    async def sites() -> Sites:
        return Sites(sites=looking.sites)

    @app.get("/v1/sites/{site}/pages", tags=["pages"], summary="The last visited pages of a site")
    async def pages(site: Annotated[str, Path(examples=["demo"])]) -> Pages:
        return await looking.pages(site)


def _serve_operation(app: FastAPI, heat: HeatStore, ends: Ends) -> None:
    @app.get("/v1/visitors", tags=["operation"], summary="How many simulated visitors come")
    async def visitors() -> Dial:
        return Dial(per_minute=await heat.rate())

    @app.put("/v1/visitors", tags=["operation"], summary="Have more or fewer of them come")
    async def set_visitors(dial: Dial) -> Dial:
        await heat.set_rate(dial.per_minute)
        return dial

    @app.get("/v1/lag", tags=["operation"], summary="How far the grids are behind the topic")
    async def how_far_behind() -> Lag:
        known = await ends.ends()
        return lag(known, await heat.applied(sorted(known)))


def _serve_scripts(app: FastAPI) -> None:
    scripts = Scripts(WEB)
    modules = frozenset(file.name for file in (WEB / "overlay").glob("*.js"))

    @app.get("/tracker.js", include_in_schema=False)
    async def tracker(request: Request) -> Response:
        return scripts.answer("tracker.js", request)

    @app.get("/overlay.js", include_in_schema=False)
    async def overlay(request: Request) -> Response:
        return scripts.answer("overlay.js", request)

    @app.get("/overlay/{name}", include_in_schema=False)
    async def module(name: str, request: Request) -> Response:
        if name not in modules:
            raise HTTPException(404)
        return scripts.answer(f"overlay/{name}", request)


def _serve_pages(app: FastAPI) -> None:
    files = Files(app, WEB)

    @app.get("/", include_in_schema=False)
    async def dashboard() -> HTMLResponse:
        return files.page("index.html")

    @app.get("/article", include_in_schema=False)
    async def article(request: Request, variant: Literal["a", "b"] = "a") -> HTMLResponse:
        is_b = variant == "b"
        return files.page(
            "article.html",
            version="b" if is_b else "",
            letter=variant.upper(),
            news=(WEB / "article-news.html").read_text() if is_b else "",
            overlay=OVERLAY if "heat" in request.query_params else "",
        )


async def _unknown(_: Request, error: Exception) -> JSONResponse:
    return problem(404, str(error))


async def _busy(_: Request, error: Exception) -> JSONResponse:
    return problem(503, str(error), {"Retry-After": str(BUSY_RETRY_S)})


def build_with_stack(settings: Settings) -> tuple[FastAPI, ASGIApp]:
    """The application over Valkey and Kafka, and the same with the collector before it.

    It starts without either of them, and is unready until both answer.
    """
    registry = CollectorRegistry()
    client = connect(settings.valkey_url)
    board = Board(client, Keys())
    door = FrontDoor(board)
    outbox = Outbox(lambda: ready_producer(settings.kafka_bootstrap, TOPICS))
    ends = TopicEnds(settings.kafka_bootstrap, EVENTS.name)
    sites = listed(settings.heatmap_sites)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = [vital(outbox.run()), vital(door.run())]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await ends.close()
        await client.aclose()

    app = build(
        Looking(board, sites),
        Streams(board),
        ends,
        {"valkey": board.check, "kafka": outbox.check},
        origins=listed(settings.heatmap_origins),
        lifespan=lifespan,
        registry=registry,
    )
    collector = Collector(
        schema=HeatSchema(sites),
        reply=door.reply,
        topic=EVENTS.name,
        dead_topic=DEAD.name,
        outbox=outbox,
        senders=Senders(door.salt, networks(settings.heatmap_staff_networks)),
        limits=Limits(client_per_s=settings.collect_client_rate),
        metrics=CollectMetrics(registry),
    )
    return app, CollectAt(app, "/collect", collector)


def main() -> None:
    settings = load_settings()
    log.configure(settings.log_level, "heatmap")
    if not settings.valkey_url or not settings.kafka_bootstrap:
        raise SystemExit(
            "VALKEY_URL and KAFKA_BOOTSTRAP must be set. Start everything with 'make demo', or "
            "give the addresses as redis://host:port/database and host:port."
        )
    app, front = build_with_stack(settings)
    serve(app, settings.host, settings.heatmap_port, settings.allowed_hosts, front=front)


if __name__ == "__main__":
    main()
