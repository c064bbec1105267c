"""One server of the stack: how it is started and how one sees that it is ready."""

import asyncio
import signal
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Check = Callable[[], bool]
LOOPBACK = "127.0.0.1"


def nothing() -> None:
    """What a part needs that has nothing to prepare."""


@dataclass(frozen=True)
class Part:
    """A server as data; `infra.stack.supervisor` runs it.

    `prepare` runs before the first start, `check` says whether it answers, `settle` runs once
    after that and before the parts that need it. All three block, and run in a thread.
    """

    name: str
    command: tuple[str | Path, ...]
    port: int
    port_setting: str
    check: Check
    needs: tuple[str, ...] = ()
    more_ports: tuple[int, ...] = ()
    prepare: Callable[[], None] = nothing
    settle: Callable[[], None] = nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    ready_timeout_s: float = 120.0

    async def is_ready(self, timeout_s: float = 5.0) -> bool:
        """Whether the server answers; a check that hangs counts as no."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(self.check), timeout_s)
        except TimeoutError:
            return False


def answers_http(url: str, timeout_s: float = 2.0) -> Check:
    """A check that `url` answers with success."""

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=timeout_s) as response:  # noqa: S310
                return bool(response.status == 200)
        except OSError:
            return False

    return check
