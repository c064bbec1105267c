"""Pages that services show: a folder of static files under a name that changes with their text."""

import hashlib
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Pages:
    """The pages of `folder`. In their text `{{static}}` stands for where the files are served.

    That address has a digest of all files in it, so browsers keep them for good and still see
    every change at once; the pages themselves are asked for anew each time.
    """

    def __init__(self, app: FastAPI, folder: Path) -> None:
        self.folder = folder
        self.static = f"/static/{_digest(folder)}"
        app.mount(self.static, _Forever(directory=folder), name="static")

    def page(self, name: str, policy: str = STRICT_POLICY, **values: str) -> HTMLResponse:
        """The page `name`, with each `{{key}}` set to its value, which must be safe as HTML."""
        text = (self.folder / name).read_text()
        for key, value in {"static": self.static, **values}.items():
            text = text.replace("{{" + key + "}}", value)
        return HTMLResponse(
            text,
            headers={
                "Content-Security-Policy": policy,
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin",
            },
        )


class _Forever(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    text = b"".join(f"{file.relative_to(folder)}\0".encode() + file.read_bytes() for file in files)
    return hashlib.sha256(text).hexdigest()[:12]
