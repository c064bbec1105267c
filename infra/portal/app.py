"""The front page: what this house is, what of it runs right now, and where its doors are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from infra.portal import design
from infra.portal.parts import Part, address, states, watched
from infra.systems import HEATMAP, RECOMMENDER, SYSTEMS, System
from services.common import log
from services.common.pages import Pages
from services.common.settings import Settings, load_settings
from services.common.web import create_app, serve

HERE = Path(__file__).parent
EXAMPLE_TIMEOUT_S = 3.0
EXAMPLES = 24
DEMO_SITE = "demo"

SYSTEM_AWAY = "This system does not answer just now; it may still be starting."


@dataclass(frozen=True)
class Portal:
    settings: Settings
    client: httpx2.AsyncClient


def build(settings: Settings) -> FastAPI:
    """The front page's application; it needs nothing to be up but itself."""
    portal = Portal(settings, httpx2.AsyncClient(timeout=EXAMPLE_TIMEOUT_S))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with portal.client:
            yield

    app = create_app(
        title="Front page",
        description="What runs, and where its pages are.",
        checks={},
        unavailable={httpx2.HTTPError: SYSTEM_AWAY},
        lifespan=lifespan,
    )
    _serve_front(app, portal)
    _serve_designs(app)
    return app


def _serve_front(app: FastAPI, portal: Portal) -> None:
    parts = watched(portal.settings, portal.client)
    processes = {process.name for system in SYSTEMS.values() for process in system.processes}
    pages = Pages(app, HERE / "web")
    pictures = Pages(app, design.ROOT / "services" / "recommender" / "web")

    @app.get("/", include_in_schema=False)
    async def front() -> HTMLResponse:
        return pages.page("index.html", pictures=pictures.static)

    @app.get("/house", summary="The systems and servers of this house, and their pages")
    async def house(request: Request) -> dict[str, Any]:
        host = request.url.hostname or "127.0.0.1"
        servers = [_server(part, host) for part in parts if part.name not in processes]
        systems = [_system(system, portal.settings, host) for system in SYSTEMS.values()]
        return {"systems": systems, "parts": servers}

    @app.get("/status", summary="Which parts answer right now")
    async def status() -> dict[str, Any]:
        return {"parts": await states(parts)}

    @app.get("/example/recommender", summary="One of the popular items and its five")
    async def example(choice: int = 0) -> dict[str, Any]:
        return await _five_more(portal, choice)

    @app.get("/example/heatmap", summary="The demo's pages, and how many people are there now")
    async def people() -> dict[str, Any]:
        return await _people_here(portal)

    app.state.pages = pages


def _system(system: System, settings: Settings, host: str) -> dict[str, Any]:
    return {
        "name": system.name,
        "title": system.title,
        "question": system.question,
        "page": f"http://{host}:{system.server.port(settings)}/",
        "design": f"/design/{system.name}",
        "workers": [
            {
                "name": w.name,
                "title": w.name.removeprefix(system.name).strip().capitalize(),
                "role": w.role,
            }
            for w in system.workers
        ],
    }


def _server(part: Part, host: str) -> dict[str, Any]:
    return {
        "name": part.name,
        "title": part.title,
        "role": part.role,
        "page": part.port and f"http://{host}:{part.port}/",
        "passing": part.passing,
    }


async def _five_more(portal: Portal, choice: int) -> dict[str, Any]:
    base = address(portal.settings, RECOMMENDER.server)
    items = await _ask(portal.client, f"{base}/v1/items?limit={EXAMPLES}", "items")
    if not items:
        raise HTTPException(503, "The shop has no items yet; they are being loaded.")
    item = items[choice % len(items)]
    path = f"/v1/items/{item['item_id']}/recommendations"
    return {"item": item, "path": path, "five": await _ask(portal.client, base + path, "items")}


async def _people_here(portal: Portal) -> dict[str, Any]:
    base, path = address(portal.settings, HEATMAP.server), f"/v1/sites/{DEMO_SITE}/pages"
    return {"path": path, "pages": await _ask(portal.client, base + path, "pages")}


async def _ask(client: httpx2.AsyncClient, url: str, key: str) -> list[dict[str, Any]]:
    answer = await client.get(url)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()[key]
    return found


def _serve_designs(app: FastAPI) -> None:
    pages: Pages = app.state.pages

    @app.get("/design/{name}", include_in_schema=False)
    async def page(name: str) -> HTMLResponse:
        if name not in SYSTEMS or not design.design_file(name).exists():
            raise HTTPException(404, f"There is no design of '{name}'.")
        title = escape(SYSTEMS[name].title)
        return pages.page("design.html", title=title, body=design.rendered(name))

    @app.get("/design/{name}/{drawing}", include_in_schema=False)
    async def diagram(name: str, drawing: str) -> FileResponse:
        file = design.design_file(name).parent / "web" / drawing
        if name not in SYSTEMS or not drawing.endswith(".svg") or not file.is_file():
            raise HTTPException(404, f"There is no drawing '{drawing}' of '{name}'.")
        return FileResponse(file, media_type="image/svg+xml")

    @app.get("/source/{path:path}", include_in_schema=False)
    async def source(path: str) -> Response:
        file = design.source_file(path)
        if (folder := design.source_folder(path)) is not None:
            links = (f'<li><a href="{escape(a)}">{escape(Path(a).name)}</a></li>' for a in folder)
            body = f"<h1>{escape(path)}</h1><ul>{''.join(links)}</ul>"
            return pages.page("design.html", title=escape(path), body=body)
        if file is None:
            raise HTTPException(404, f"There is no source file '{path}' to show.")
        return PlainTextResponse(file.read_text(), headers={"X-Content-Type-Options": "nosniff"})


def main() -> None:
    settings = load_settings()
    log.configure(settings.log_level, "front page")
    serve(build(settings), settings.host, settings.front_port, settings.allowed_hosts)


if __name__ == "__main__":
    main()
