"""Tasks in the background that a process is of no use without."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from services.common.log import get_logger


def vital(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Do `work` beside all else, until it is cancelled.

    When it fails, the process says why and is told to end, and whoever keeps it starts it anew.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(_end_with)
    return task


def _end_with(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        get_logger().error("a vital task failed", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
