"""Which pages of other origins may read the API: those of this host, and those that are named."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READ_METHODS = frozenset({"GET", "HEAD"})


class ReadableFrom:
    """Let pages read GET /v1/* across origins: the overlay runs on the page that it shows.

    A page may when its host name is the one that was asked, at any port, or when its origin is in
    `origins`. Only reading: a change from another origin needs a preflight, which gets no leave.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_reading(scope):
            await self.app(scope, receive, send)
            return
        allowed = self._allowed(Headers(scope=scope))

        async def open_up(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if allowed:
                    headers["Access-Control-Allow-Origin"] = allowed
                    headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-ID"
            await send(message)

        await self.app(scope, receive, open_up)

    def _allowed(self, headers: Headers) -> str | None:
        origin = headers.get("origin")
        if not origin:
            return None
        if origin in self.origins:
            return origin
        host = _host_name(f"//{headers.get('host', '')}")
        return origin if host and _host_name(origin) == host else None


def listed(setting: str) -> list[str]:
    """The parts of a setting that are separated by commas."""
    return [part.strip() for part in setting.split(",") if part.strip()]


def _is_reading(scope: Scope) -> bool:
    return scope["method"] in _READ_METHODS and scope["path"].startswith("/v1/")


def _host_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
