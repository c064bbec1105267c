"""Liveness and readiness, apart: one says that the process runs, the other that it can answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from services.common.errors import problem

Check = Callable[[], Awaitable[str | None]]
"""What is wrong with a part, as a sentence; None when nothing is."""

CHECK_TIMEOUT_S = 1.0


def routes(checks: Mapping[str, Check], timeout_s: float = CHECK_TIMEOUT_S) -> APIRouter:
    """`/livez` never looks beyond the process; `/readyz` asks all checks at once, each in time."""
    router = APIRouter(tags=["operation"])

    @router.get("/livez", summary="Is the process alive?")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Can it answer now?", responses={503: {}})
    async def readyz() -> Response:
        found = await findings(checks, timeout_s)
        wrong = {name: trouble for name, trouble in found.items() if trouble}
        if wrong:
            return problem(503, " ".join(wrong.values()), failing=sorted(wrong))
        return JSONResponse({"status": "ready", "checks": sorted(checks)})

    return router


async def findings(checks: Mapping[str, Check], timeout_s: float) -> dict[str, str | None]:
    """The finding of each check by its name; one that takes too long is a finding, too."""

    async def ask(name: str, check: Check) -> str | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await check()
        except TimeoutError:
            return f"The check of {name} did not answer within {timeout_s:g} s."

    answers = await asyncio.gather(*(ask(name, check) for name, check in checks.items()))
    return dict(zip(checks, answers, strict=True))
