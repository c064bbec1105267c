"""A visit as its tracker sends it: cut into batches of the wire format, version 1; no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from services.heatmap.events import VERSION
from services.heatmap.visiting.visits import Click, Move, Segment, Visit

WINDOW_MAX_MS = 60_000


@dataclass(frozen=True)
class Batch:
    """What happened in a part of a visit; the same in every attempt to send it."""

    fields: dict[str, Any]
    origin_ms: int
    events: int

    def body(self, now_ms: int) -> bytes:
        """The request's body when it is sent `now_ms` after the page was opened."""
        return msgspec.json.encode({**self.fields, "age": now_ms - self.origin_ms})


def batch(visit: Visit, number: int, begin_ms: int, end_ms: int, *, bye: bool = False) -> Batch:
    """The events from `begin_ms` until before `end_ms`; segments are cut where the window ends."""
    view = list(_clipped(visit.view, begin_ms, end_ms))
    move = [one for one in visit.move if begin_ms <= one.at_ms < end_ms]
    click = [one for one in visit.click if begin_ms <= one.at_ms < end_ms]
    reach = [one for one in visit.reach if begin_ms <= one.at_ms < end_ms]
    times_ms = [
        *(one.start_ms for one in view),
        *(one.at_ms for one in move),
        *(one.at_ms for one in click),
        *(one.at_ms for one in reach),
    ]
    origin_ms = min(times_ms, default=end_ms)
    selectors = list(dict.fromkeys(one.selector for one in click))
    groups = {
        "els": selectors,
        "view": _view_rows(view, origin_ms),
        "move": _move_rows(move, origin_ms),
        "click": _click_rows(click, selectors, origin_ms),
        "reach": [value for r in reach for value in (r.at_ms - origin_ms, r.before, r.after)],
    }
    fields = _envelope(visit, number) | {name: rows for name, rows in groups.items() if rows}
    if bye:
        fields["bye"] = 1
    elif band := visit.band(end_ms):
        fields["at"] = band
    return Batch(fields, origin_ms, len(times_ms))


def _envelope(visit: Visit, number: int) -> dict[str, Any]:
    visitor, page = visit.visitor, visit.page
    fields = {
        "v": VERSION,
        "site": page.site,
        "page": page.path,
        "id": visitor.view_id,
        "n": number,
        "w": visitor.device.width_px,
        "h": visitor.device.height_px,
        "dh": visit.height_px,
    }
    if page.version:
        fields["ver"] = page.version
    if visitor.flags:
        fields["flags"] = visitor.flags
    return fields


def _clipped(segments: Iterable[Segment], begin_ms: int, end_ms: int) -> Iterable[Segment]:
    for segment in segments:
        start_ms = max(segment.start_ms, begin_ms)
        stop_ms = min(segment.start_ms + segment.duration_ms, end_ms)
        if start_ms < stop_ms:
            yield segment._replace(start_ms=start_ms, duration_ms=stop_ms - start_ms)


def _view_rows(view: list[Segment], origin_ms: int) -> list[int]:
    rows: list[int] = []
    for start_ms, duration_ms, top, bottom in view:
        rows += (start_ms - origin_ms, duration_ms, top, bottom)
        origin_ms = start_ms + duration_ms
    return rows


def _move_rows(move: list[Move], origin_ms: int) -> list[int]:
    rows: list[int] = []
    for at_ms, x, y in move:
        rows += (at_ms - origin_ms, x, y)
        origin_ms = at_ms
    return rows


def _click_rows(click: list[Click], selectors: list[str], origin_ms: int) -> list[int]:
    rows: list[int] = []
    for at_ms, kind, x, y, selector, p, q, flags in click:
        rows += (at_ms - origin_ms, kind, x, y, selectors.index(selector), p, q, flags)
    return rows
