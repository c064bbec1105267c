"""Refuses requests for host names that are not ours.

A web page elsewhere can have its own name lead to this machine (DNS rebinding) and so make a
browser take our answers for its own. Only names can be led elsewhere: an address is always allowed.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.errors import problem

MISDIRECTED = 421


class HostsMiddleware:
    """Lets requests through whose Host is an address or one of `names`."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.strip().lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = Headers(scope=scope).get("host", "")
            host = _host(given)
            if host not in self._names and not _is_address(host):
                await problem(MISDIRECTED, _sentence(given))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host(given: str) -> str:
    """The host of a Host header, without its port, in small letters; empty when it is none."""
    try:
        return urlsplit(f"//{given}").hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _sentence(given: str) -> str:
    return (
        f"The request is for the host {given[:64]!r}, which is not known here: ask by an "
        "address, or add its name to ALLOWED_HOSTS."
    )
