import asyncio
import signal
from contextlib import suppress

import pytest

from services.common.tasks import vital


def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    signals: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", signals.append)
    return signals


def test_a_vital_task_that_fails_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = told(monkeypatch)

    async def fail() -> None:
        raise RuntimeError("unforeseen")

    async def live() -> None:
        with suppress(RuntimeError):
            await vital(fail())
        await asyncio.sleep(0)

    asyncio.run(live())
    assert signals == [signal.SIGTERM]


def test_a_vital_task_that_is_cancelled_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = told(monkeypatch)

    async def live() -> None:
        task = vital(asyncio.sleep(60))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(live())
    assert signals == []
