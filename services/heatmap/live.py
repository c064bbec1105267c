"""A page as it happens: a stream of server-sent events out of the tallies of the last minute.

The 5 s tallies only ever grow at their end, so a stream needs no state beside how far it has read
each of them: that is the cursor, and every event carries it as its id. A tick sends what was added
since. A reader that is slow is not ticked until it has taken the last event, and gets fewer and
larger ones; a reader that comes back with its cursor gets exactly what it missed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

import msgspec
import numpy as np
from redis.exceptions import ConnectionError as AwayError
from redis.exceptions import TimeoutError as SilentError

from services.heatmap import maps
from services.heatmap.asking import Asked, Heat, Presence, shown
from services.heatmap.cursors import Cursor, read_cursor, stream_id
from services.heatmap.grid import LEVEL_MS, Tally, Variant

TICK_S = 0.25
K_TICK_S = 1.0
HEARTBEAT_S = 10.0
AWAY_RETRY_S = 1.0
WATCH_EVERY_S = 3.0
VARIANTS_EVERY_S = 1.0
BUCKET_MS = LEVEL_MS["5s"]
SHOWN = 13
"""Buckets of a snapshot: those that the last 60 s touch."""
RESUMABLE = 120
"""Buckets that a stream resumes over: 10 minutes."""
STREAMS_MAX = 200
RUN_CHARACTERS = 8
HELLO = b"retry: 1000\n\n"
HEARTBEAT = b": still here\n"


class BusyError(Exception):
    """There are as many streams as one process serves."""


class Streams:
    """The streams of a process: so many at most, each until its reader goes."""

    def __init__(self, heat: Heat, most: int = STREAMS_MAX, tick_s: float = TICK_S) -> None:
        self.heat = heat
        self.most = most
        self.tick_s = tick_s
        self.open = 0

    def require_room(self) -> None:
        """BusyError when there is no room for one more."""
        if self.open >= self.most:
            raise BusyError(
                f"{self.most} readers listen to this process, which is as many as it serves; "
                "please try again in a moment."
            )

    async def events(
        self, asked: Asked, after: str | None, is_stopping: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Server-sent events from the cursor `after` on, or from a snapshot when it is none."""
        self.open += 1
        try:
            stream = _Stream(self.heat, asked, K_TICK_S if asked.k else self.tick_s)
            async for event in stream.events(after, is_stopping):
                yield event
        finally:
            self.open -= 1


class _Stream:
    """The events of one reader."""

    def __init__(self, heat: Heat, asked: Asked, tick_s: float) -> None:
        self.heat = heat
        self.asked = asked
        self.id = stream_id(asked)
        self.tick_s = tick_s
        self.cursor: Cursor | None = None
        self.presence: Presence | None = None
        self.is_away = False
        self._watched_s = self._looked_s = float("-inf")
        self._chosen: Sequence[Variant] = ()

    async def events(
        self, after: str | None, is_stopping: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        self.cursor = read_cursor(after, self.asked) if after else None
        sent_s = monotonic()
        yield HELLO
        while not is_stopping():
            began_s = monotonic()
            event = await self._tick()
            if event is None and began_s - sent_s >= HEARTBEAT_S:
                event = self._heartbeat()
            if event is not None:
                # This goes on when the reader has room again: a slow one is ticked less often.
                yield event
                sent_s = monotonic()
            wait_s = AWAY_RETRY_S if self.is_away else self.tick_s
            await asyncio.sleep(max(0.0, began_s + wait_s - monotonic()))

    async def _tick(self) -> bytes | None:
        try:
            event = await self._next()
        except (AwayError, SilentError):
            was_away, self.is_away = self.is_away, True
            return None if was_away else written("away", {})
        was_away, self.is_away = self.is_away, False
        # Without news the reader would not learn that it is over.
        return event or (written("back", {}) if was_away else None)

    def _heartbeat(self) -> bytes:
        """A comment, and where the reader is: a quiet page is no reason to start all over."""
        return (
            HEARTBEAT + (f"id: {self.cursor.written()}\n" if self.cursor else "").encode() + b"\n"
        )

    async def _next(self) -> bytes | None:
        now_ms = int(time() * 1000)
        newest = now_ms // BUCKET_MS
        await self._look()
        kind, news = await self._news(newest)
        presence = shown(await self.heat.presence(self.asked), self.asked.k)
        if kind == "delta" and not news.tallies and presence == self.presence:
            self.cursor = news.ahead
            return None
        data = await self._data(now_ms, news.tallies, presence)
        self.presence = presence
        # Only when nothing can fail any more: what is not sent is read again.
        self.cursor = news.ahead
        return written(kind, data, news.ahead.written())

    async def _look(self) -> None:
        """Keep the page watched, and learn of new kinds of visits to it."""
        now_s = monotonic()
        asked = self.asked
        if now_s - self._watched_s >= WATCH_EVERY_S:
            await self.heat.watch(asked.site, asked.page)
            self._watched_s = now_s
        if now_s - self._looked_s >= VARIANTS_EVERY_S:
            known = await self.heat.variants(asked.site, asked.page)
            self._chosen = [variant for variant in known if asked.takes(variant)]
            self._looked_s = now_s

    async def _news(self, newest: int) -> tuple[str, "_News"]:
        cursor = self.cursor
        if cursor and newest - RESUMABLE <= cursor.first <= newest:
            news = await self._beyond(cursor, newest)
            # With k a picture of its own each time: what was hidden may have come to be shown.
            if news and not (self.asked.k and news.tallies):
                return "delta", news
        news = await self._beyond(Cursor(self.id, "", newest - SHOWN + 1), newest)
        assert news is not None, "Nothing is shorter than nothing."
        return "snapshot", news

    async def _beyond(self, cursor: Cursor, newest: int) -> "_News | None":
        """What came after the cursor; None when what it points to is gone."""
        known = {
            (variant, bucket): cursor.lengths.get((variant, bucket), 0)
            for variant in self._chosen
            for bucket in range(cursor.first, newest + 1)
        }
        tails = await self.heat.tails(known)
        run = tails.run[:RUN_CHARACTERS]
        if cursor.run not in {"", run}:
            return None
        buckets: dict[int, list[Tally]] = {}
        for place, entries in tails.entries.items():
            if entries is None:
                return None
            known[place] += len(entries)
            buckets.setdefault(place[1], []).append(entries)
        oldest = newest - SHOWN + 1
        recent = {place: length for place, length in known.items() if place[1] >= oldest}
        tallies = {bucket: np.concatenate(entries) for bucket, entries in buckets.items()}
        return _News(tallies, Cursor(self.id, run, oldest, recent))

    async def _data(
        self, now_ms: int, tallies: Mapping[int, Tally], presence: Presence
    ) -> dict[str, Any]:
        parts = maps.parts(tallies, self.asked.k)
        ids = sorted({spot[1] for part in parts.values() for spot in part.get("spots", ())})
        return {
            "t": now_ms,
            "buckets": parts,
            "elements": await self.heat.elements(self.asked.site, self.asked.page, ids),
            "here": presence.here,
            "bands": presence.bands,
        }


@dataclass(frozen=True)
class _News:
    """New entries by bucket, and the cursor of a reader that has them."""

    tallies: Mapping[int, Tally]
    ahead: Cursor


def written(kind: str, data: Mapping[str, Any], cursor: str | None = None) -> bytes:
    """One server-sent event; without a cursor the reader keeps the one that it has."""
    identity = f"id: {cursor}\n" if cursor else ""
    return f"event: {kind}\n{identity}data: ".encode() + msgspec.json.encode(data) + b"\n\n"
