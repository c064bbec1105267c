"""What the collector of heat tells trackers and keeps of visitors, learnt from Valkey beforehand.

No request waits for Valkey: twice a second this looks up which pages somebody watches and what
today's secret is. While Valkey is away the last answers hold: pages stop being watched when their
time is over, the secret is kept.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from redis.exceptions import RedisError

from services.common.log import get_logger
from services.heatmap.keys import WATCHED_MS

REFRESH_S = 0.5
CALM_FLUSH_MS = 5_000
WATCHED_FLUSH_MS = 1_000


class Source(Protocol):
    """What is looked up; both raise a RedisError while Valkey is away."""

    async def watched(self, now_ms: int) -> Collection[str]:
        """The pages that somebody watches, as "site|page"."""
        ...

    async def salt(self, day: str) -> bytes:
        """The secret of a day like 2026-02-28, the same for everybody who asks."""
        ...


class FrontDoor:
    """Replies to trackers, and the secret that makes visitors' names of a day.

    clock: seconds since 1970.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._watched: Collection[str] = ()
        self._heard_ms = 0.0
        self._salt: bytes | None = None
        self._salt_day = ""
        self._is_away = False

    def reply(self, subject: str) -> Mapping[str, Any]:
        """How often a page's trackers should send, and whether somebody watches it."""
        known = self._clock() * 1000 < self._heard_ms + WATCHED_MS
        watched = known and subject in self._watched
        flush_ms = WATCHED_FLUSH_MS if watched else CALM_FLUSH_MS
        return {"flush_ms": flush_ms, "watched": watched}

    def salt(self) -> bytes | None:
        """The newest day's secret that is known; None before the first."""
        return self._salt

    async def run(self) -> None:
        """Look again twice a second until cancelled."""
        while True:
            try:
                await self.refresh()
                self._is_away = False
            except RedisError as error:
                self._log_once(error)
            await asyncio.sleep(REFRESH_S)

    async def refresh(self) -> None:
        """Look once; a RedisError leaves everything as it was."""
        now_ms = int(self._clock() * 1000)
        self._watched = await self._source.watched(now_ms)
        self._heard_ms = now_ms
        day = datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
        if day != self._salt_day:
            self._salt = await self._source.salt(day)
            self._salt_day = day

    def _log_once(self, error: RedisError) -> None:
        if not self._is_away:
            get_logger().warning("valkey away, front door keeps what it knows", error=str(error))
        self._is_away = True
