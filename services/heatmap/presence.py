"""Who has a page open now: a log of what its trackers say, read as the last word of each view.

A page's log is cut into windows as long as a word holds, so that two of them tell all, nothing has
to be cleaned up, and what an ended window holds expires with it.
"""

from collections.abc import Iterable
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

from services.heatmap.events import AUDIENCES, CLASSES, Batch

HOLDS_MS = 15_000
KEEP_S = 60

_NO_BAND, _GONE = 0xFFFF, 0xFFFE
_WORD = np.dtype([
    ("view_id", "<u8"), ("received_ms", "<i8"), ("view_class", "u1"), ("audience", "u1"),
    ("top", "<u2"), ("bottom", "<u2"), ("version", "S32"),
])  # fmt: skip
_pack = Struct("<QqBBHH32s").pack


class Present(NamedTuple):
    """A page view that is open now, and the band of the page on its screen, if any."""

    view_id: int
    view_class: str
    audience: str
    version: str
    band: tuple[int, int] | None


def window(time_ms: int) -> int:
    """The number of the window that a word received then is in."""
    return time_ms // HOLDS_MS


def windows(now_ms: int) -> tuple[int, int]:
    """The windows that hold every word that still holds, the older first."""
    return window(now_ms) - 1, window(now_ms)


def word(batch: Batch) -> bytes:
    """What a batch says of its view, as an entry of the log."""
    top, bottom = batch.at or (_NO_BAND, _NO_BAND)
    return _pack(
        batch.view_id,
        batch.received_ms,
        CLASSES.index(batch.view_class),
        batch.audience,
        _GONE if batch.bye else top,
        bottom,
        batch.version.encode(),
    )


def present(logs: Iterable[bytes], now_ms: int) -> list[Present]:
    """The views that were open a moment ago and have not said good-bye; logs: oldest first."""
    words = np.frombuffer(b"".join(logs), _WORD)[::-1]
    _, last = np.unique(words["view_id"], return_index=True)
    words = words[last]
    holds = (words["received_ms"] > now_ms - HOLDS_MS) & (words["top"] != _GONE)
    return [_present(said) for said in words[holds].tolist()]


def _present(said: tuple[Any, ...]) -> Present:
    view_id, _, view_class, audience, top, bottom, version = said
    band = None if top == _NO_BAND else (top, bottom)
    return Present(view_id, CLASSES[view_class], AUDIENCES[audience], version.decode(), band)
