"""Errors as every service answers them: one plain sentence and the request's id."""

from collections.abc import Mapping, Sequence
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

RETRY_AFTER_S = 1
FAILED = "Something failed here; the log has it under this request id."
LONGEST_VALUE = 60
_PLACES = {"query": "The query parameter", "path": "The path's", "body": "In the body,"}


class Problem(BaseModel):
    """The body of every answer that is not the one asked for."""

    detail: str = Field(examples=["There is no item '00000'."])
    request_id: str = Field(examples=["5f2c1f3e9d0b4a6e8c7d1a2b3c4d5e6f"])


def install(app: FastAPI, unavailable: Mapping[type[Exception], str]) -> None:
    """Answer exceptions of `unavailable` with 503 and their sentence, all others by their kind."""

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, _refusal(request, error), error.headers)

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem(422, " ".join(sentence(e) for e in error.errors()))

    async def failed(_: Request, __: Exception) -> JSONResponse:
        # This handler runs outside of the middleware that names the request in the headers.
        named = {"X-Request-ID": correlation_id.get() or ""}
        return problem(500, FAILED, named)

    async def away(_: Request, error: Exception) -> JSONResponse:
        known = next(kind for kind in type(error).__mro__ if kind in unavailable)
        return problem(503, unavailable[known], {"Retry-After": str(RETRY_AFTER_S)})

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, failed)
    for kind in unavailable:
        app.add_exception_handler(kind, away)


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    body = {"detail": detail, "request_id": correlation_id.get() or ""} | more
    return JSONResponse(body, status_code=status, headers=headers)


def sentence(error: Mapping[str, Any]) -> str:
    """A finding of pydantic's as a sentence that names place, value and what is allowed."""
    place, *path = error["loc"]
    if error["type"] == "json_invalid":
        return f"The body is not valid JSON: {error['ctx']['error']} at character {path[0]}."
    where = f"{_PLACES.get(place, f'The {place}')} {_dotted(path) or 'the whole'}"
    if error["type"] == "missing":
        return f"{where} is missing."
    if error["type"] == "extra_forbidden":
        return f"{where} is not known here."
    rule = error["msg"].partition("should ")[2] or "be different"
    rule = rule.partition(", unable")[0].partition(" after validation")[0]
    return f"{where} is {_shown(error['input'])}, but should {rule}."


def _refusal(request: Request, error: HTTPException) -> str:
    asked = f"{request.method} {request.url.path}"
    if error.status_code == 404 and error.detail == "Not Found":
        return f"There is nothing at {asked}."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        return f"{asked} is not possible; this address answers {allowed}."
    return error.detail


def _dotted(path: Sequence[str | int]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[:LONGEST_VALUE]}..."
