"""The scripts that other pages include, tracker and overlay: minified, compressed, kept briefly."""

import gzip
import hashlib
from pathlib import Path

import rjsmin  # type: ignore[import-untyped]
from starlette.requests import Request
from starlette.responses import Response

KEPT_S = 300


def minified(text: str) -> bytes:
    """The script without comments and needless white space."""
    return str(rjsmin.jsmin(text)).encode()


def compressed(script: bytes) -> bytes:
    """The script as gzip, which is the same bytes for the same script."""
    return gzip.compress(script, 9, mtime=0)


class Scripts:
    """The scripts of a folder. Their addresses stay the same, so browsers ask again soon."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, int], tuple[bytes, bytes, str]] = {}

    def answer(self, name: str, request: Request) -> Response:
        """The script `name` for any site's pages; nothing when the browser has this very text."""
        plain, packed, etag = self._script(name)
        headers = {
            "Cache-Control": f"public, max-age={KEPT_S}",
            "ETag": etag,
            "Vary": "Accept-Encoding",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return _javascript(packed, headers | {"Content-Encoding": "gzip"})
        return _javascript(plain, headers)

    def _script(self, name: str) -> tuple[bytes, bytes, str]:
        file = self._folder / name
        version = (name, file.stat().st_mtime_ns)
        if version not in self._made:
            plain = minified(file.read_text())
            digest = hashlib.sha256(plain).hexdigest()[:16]
            self._made = {key: made for key, made in self._made.items() if key[0] != name}
            self._made[version] = (plain, compressed(plain), f'W/"{digest}"')
        return self._made[version]


def _javascript(body: bytes, headers: dict[str, str]) -> Response:
    return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)
