"""The recommender over HTTP: five more items for an item's page, orders, and the page itself."""

import asyncio
import pathlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from psycopg import OperationalError

from services.common import log
from services.common.database import AWAY, Database
from services.common.errors import Problem, problem
from services.common.health import Check
from services.common.pages import STRICT_POLICY, Pages
from services.common.settings import Settings, load_settings
from services.common.web import Lifespan, create_app, serve
from services.recommender.answers import (
    EXCLUDE_MAX,
    N_DEFAULT,
    N_MAX,
    WITHOUT_MODEL,
    Customers,
    Id,
    Item,
    Items,
    Model,
    NewOrder,
    Purchases,
    Receipt,
    Recommendations,
)
from services.recommender.shop import ConflictError, Shop, UnknownError
from services.recommender.store import Store

HERE = pathlib.Path(__file__).parent
START_GRACE_S = 5.0
DESCRIPTION = """
Five more items for the page of an item, seen by a customer or a guest, out of real purchases.
Every answer carries a request id (`X-Request-ID`), and every error is one plain sentence.
"""

TAGS = ("recommendations", "orders", "catalogue", "operation")

ItemId = Annotated[Id, Path(examples=["22423"])]
CustomerId = Annotated[Id, Path(examples=["12748"])]
Limit = Annotated[int, Query(ge=1, le=100, description="at most so many")]
Search = Annotated[str, Query(max_length=100, description="empty: the popular or newest ones")]


def build(
    shop: Shop,
    checks: dict[str, Check],
    lifespan: Lifespan | None = None,
    *,
    tracker_port: int | None = None,
) -> FastAPI:
    """The application over any shop; tests hand in their own.

    tracker_port: where this host serves the heat map's tracker, for the pages to carry it.
    """
    app = create_app(
        title="Recommender",
        description=DESCRIPTION,
        checks=checks,
        unavailable={OperationalError: AWAY},
        lifespan=lifespan,
    )
    app.openapi_tags = [{"name": name} for name in TAGS]
    app.add_exception_handler(UnknownError, _unknown)
    app.add_exception_handler(ConflictError, _conflict)
    _serve_answer(app, shop)
    _serve_orders(app, shop)
    _serve_catalogue(app, shop)
    _serve_pages(app, tracker_port)
    return app


def build_with_database(settings: Settings) -> FastAPI:
    """The application over PostgreSQL; it starts without one and is unready until there is one."""
    database = Database(settings.postgres_url, "recommender", HERE / "schema.sql")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        preparing = asyncio.create_task(database.prepare())
        # A restart beside a running database should refuse nobody.
        await asyncio.wait({preparing}, timeout=START_GRACE_S)
        yield
        preparing.cancel()
        await database.close()

    tracker_port = settings.heatmap_port if settings.tracker else None
    checks: dict[str, Check] = {"postgres": database.check}
    return build(Store(database), checks, lifespan, tracker_port=tracker_port)


def _serve_answer(app: FastAPI, shop: Shop) -> None:
    @app.get(
        "/v1/items/{item_id}/recommendations",
        tags=["recommendations"],
        summary="n more items for the page of an item",
    )
    async def recommendations(
        item_id: ItemId,
        customer_id: Annotated[
            Id | None, Query(description="absent: a guest", examples=["12748"])
        ] = None,
        n: Annotated[int, Query(ge=1, le=N_MAX)] = N_DEFAULT,
        exclude: Annotated[
            list[str] | None, Query(description="item ids, repeated or separated by commas")
        ] = None,
    ) -> Recommendations:
        version, items = await shop.recommend(item_id, customer_id, _listed(exclude), n)
        return Recommendations(
            item_id=item_id,
            customer_id=customer_id,
            model_version=version,
            source="popularity" if version is None else "model",
            note=WITHOUT_MODEL if version is None else None,
            items=items,
            request_id=correlation_id.get() or "",
        )

    @app.get("/v1/model", tags=["recommendations"], summary="The model that serves")
    async def model() -> Model:
        return await shop.model()


def _serve_orders(app: FastAPI, shop: Shop) -> None:
    @app.post(
        "/v1/orders",
        status_code=201,
        tags=["orders"],
        summary="Record an order; the next answer respects it",
        responses={
            200: {"model": Receipt, "description": "This order was recorded before"},
            409: {"model": Problem, "description": "Known id with other content, or lack of stock"},
        },
    )
    async def order(new: NewOrder, response: Response) -> Receipt:
        receipt, created = await shop.order(new)
        response.status_code = 201 if created else 200
        return receipt


def _serve_catalogue(app: FastAPI, shop: Shop) -> None:
    @app.get("/v1/items", tags=["catalogue"], summary="Items by the words of their title")
    async def items(search: Search = "", limit: Limit = 20) -> Items:
        return Items(items=await shop.items(_words(search), limit))

    @app.get("/v1/items/{item_id}", tags=["catalogue"], summary="One item")
    async def item(item_id: ItemId) -> Item:
        return await shop.item(item_id)

    @app.get("/v1/customers", tags=["catalogue"], summary="Customers by the start of their id")
    async def customers(search: Search = "", limit: Limit = 20) -> Customers:
        return Customers(customers=await shop.customers(_words(search), limit))

    @app.get(
        "/v1/customers/{customer_id}/purchases",
        tags=["catalogue"],
        summary="What a customer bought, newest first",
    )
    async def purchases(customer_id: CustomerId, limit: Limit = 20) -> Purchases:
        bought = await shop.purchases(customer_id, limit)
        return Purchases(customer_id=customer_id, purchases=bought)


def _serve_pages(app: FastAPI, tracker_port: int | None) -> None:
    pages = Pages(app, HERE / "web")

    @app.get("/", include_in_schema=False)
    @app.get("/items/{item_id}", include_in_schema=False)
    async def page(request: Request) -> HTMLResponse:
        if tracker_port is None:
            return pages.page("index.html", tracker="")
        # Starlette lets only a well-formed host through, so it is safe in page and policy.
        at = request.url.replace(port=tracker_port)
        origin = f"{at.scheme}://{at.netloc}"
        script = f'<script src="{origin}/tracker.js" data-site="shop" async></script>'
        return pages.page("index.html", policy=_policy_with(origin), tracker=script)


def _policy_with(origin: str) -> str:
    """The strict policy, with scripts of this origin and requests to it as well."""
    policy = STRICT_POLICY
    for kind in ("script-src", "connect-src"):
        policy = policy.replace(f"{kind} 'self'", f"{kind} 'self' {origin}")
    return policy


def _listed(exclude: list[str] | None) -> list[str]:
    ids = [name.strip() for part in exclude or [] for name in part.split(",") if name.strip()]
    for name in ids:
        _require_printable("exclude", name)
    if len(ids) > EXCLUDE_MAX:
        raise HTTPException(
            422, f"The query parameter exclude has {len(ids)} ids, but takes at most {EXCLUDE_MAX}."
        )
    return ids


def _words(search: str) -> str:
    words = " ".join(search.split())
    _require_printable("search", words)
    return words


def _require_printable(name: str, value: str) -> None:
    if not value.isprintable():
        finding = {
            "type": "value_error",
            "loc": ("query", name),
            "msg": "should have only printable characters",
            "input": value,
        }
        raise RequestValidationError([finding])


async def _unknown(_: Request, error: Exception) -> JSONResponse:
    return problem(404, str(error))


async def _conflict(_: Request, error: Exception) -> JSONResponse:
    return problem(409, str(error))


def main() -> None:
    settings = load_settings()
    log.configure(settings.log_level, "recommender")
    if not settings.postgres_url:
        raise SystemExit(
            "POSTGRES_URL is not set. Start everything with 'make demo', or give the address of a "
            "PostgreSQL 18 as postgresql://user:password@host:port/database."
        )
    app = build_with_database(settings)
    serve(app, settings.host, settings.recommender_port, settings.allowed_hosts)


if __name__ == "__main__":
    main()
