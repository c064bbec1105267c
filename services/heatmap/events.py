"""What trackers send and what the topic holds: the wire format and the record, both version 1.

A body is one JSON object: a batch of one page view, its events as flat lists of integers, one list
for each kind. A record is the same batch, checked and stamped by the collector. Times of events
relate to the batch's origin; the tracker tells how long ago that was when it sends, so that neither
a wrong clock nor a late retry moves an event.
"""

import re
import zlib
from array import array
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from services.common.reading import Reading, RefusedError, Rejected, Sender
from services.heatmap.admission import Admission
from services.heatmap.checks import GROUPS, SELECTORS_MAX, SPAN, Rows, checked

VERSION = 1
HUMAN, BOT, STAFF = range(3)
AUDIENCES = ("human", "bot", "staff")
IS_WEBDRIVER, IS_STAFF = 1, 2
CLASSES = ("xs", "s", "m", "l", "xl", "xxl")
_CLASS_WIDTHS = (480, 768, 1024, 1440, 1920)
_SELECTOR_LENGTH_MAX = 200
_EVENTS_MAX = 500
_VERSION = re.compile(r"[A-Za-z0-9._-]{0,32}")
_SALTS = 4
_KNOWN = 8_192
# Of values that lie too deep inside each other the last one is raised.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Pixels = Annotated[int, Meta(ge=1, le=1_000_000)]
Millis = Annotated[int, Meta(ge=0, le=1 << 43)]
Place = Annotated[int, Meta(ge=0, le=SPAN)]
# msgpack has no larger whole numbers than these.
Bits64 = Annotated[int, Meta(ge=0)]


class Posted(msgspec.Struct):
    """A batch as a tracker sends it; the columns of the lists are described in `checks`."""

    v: int
    site: str
    page: str
    id: Annotated[str, Meta(min_length=11, max_length=11)]
    n: Annotated[int, Meta(ge=0, le=65_535)]
    w: Pixels
    h: Pixels
    dh: Pixels
    age: Annotated[int, Meta(ge=0, le=86_400_000)]
    ver: str = ""
    flags: Annotated[int, Meta(ge=0, le=3)] = 0
    at: tuple[int, int] | None = None
    bye: Annotated[int, Meta(ge=0, le=1)] = 0
    els: list[str] = []
    view: list[int] = []
    move: list[int] = []
    click: list[int] = []
    reach: list[int] = []


class Batch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A record of the topic. The four last fields are rows of little-endian 32-bit integers.

    received_ms, origin_ms: UTC in milliseconds, by the collector's clock.
    at: the band on screen when it was sent, in 1/10,000 of the document; None when hidden.
    elements: the selectors that clicks name by their position.
    """

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    received_ms: Millis
    origin_ms: Millis
    site: str
    page: str
    version: str
    view_class: str
    audience: int
    view_id: Bits64
    number: Annotated[int, Meta(ge=0, le=65_535)]
    visitor: Bits64
    at: tuple[Place, Place] | None
    bye: bool
    elements: list[str]
    view: bytes
    move: bytes
    click: bytes
    reach: bytes


_posted = msgspec.json.Decoder(Posted)
_record = msgspec.msgpack.Encoder()
_batch = msgspec.msgpack.Decoder(Batch)


def decode(value: bytes) -> Batch:
    """The batch of a record; msgspec.MsgspecError when the bytes are none."""
    return _batch.decode(value)


def encode(batch: Batch) -> bytes:
    """The record of a batch."""
    return _record.encode(batch)


def element_id(selector: str) -> int:
    """26 bits that stand for a selector; two of 200 on a page are the same once in 3,000 pages."""
    return zlib.crc32(selector.encode()) & 0x3FFFFFF


def view_class(width_px: int) -> str:
    """The class of layouts that a window of this width gets."""
    for name, limit_px in zip(CLASSES, _CLASS_WIDTHS, strict=False):
        if width_px < limit_px:
            return name
    return CLASSES[-1]


class HeatSchema:
    """Reads the bodies of trackers of known sites."""

    def __init__(self, sites: Sequence[str], admission: Admission | None = None) -> None:
        self._sites = frozenset(sites)
        self._admission = admission or Admission()

    def read(self, body: bytes, sender: Sender) -> Reading:
        """One record for the batch; RefusedError when site, page or id can't be used."""
        rejected: list[Rejected] = []
        try:
            posted = _posted.decode(body)
        except msgspec.ValidationError as error:
            posted = _salvaged(body, error, rejected)
        except _UNREADABLE as error:
            raise RefusedError(f"The body is not valid JSON: {error}.") from error
        page = _page(posted.page)
        self._require_known(posted)
        self._admission.require(posted.site, page, posted.ver, sender.received_ms)
        view_id = _view_id(posted.id)
        rows = {group: _rows(posted, group, rejected) for group in GROUPS}
        events = sum(len(rows[group]) // len(GROUPS[group]) for group in GROUPS)
        name = view_class(posted.w)
        batch = Batch(
            VERSION,
            sender.received_ms,
            sender.received_ms - posted.age,
            posted.site,
            page,
            posted.ver,
            name,
            _audience(posted, sender),
            view_id,
            posted.n,
            sender.visitor(posted.site),
            _band(posted),
            bool(posted.bye),
            posted.els,
            *(array("i", rows[group]).tobytes() for group in GROUPS),
        )
        keep = bool(events or batch.at or batch.bye or not rejected)
        return Reading(
            key=f"{posted.site}|{name}|{page}",
            value=_record.encode(batch) if keep else None,
            events=events,
            salt=view_id % _SALTS,
            subject=f"{posted.site}|{page}",
            rejected=rejected,
        )

    def _require_known(self, posted: Posted) -> None:
        if posted.v != VERSION:
            raise RefusedError(f"The batch has version {posted.v}, but must have {VERSION}.")
        if posted.site not in self._sites:
            known = ", ".join(sorted(self._sites))
            raise RefusedError(f"The site is {posted.site[:64]!r}, but must be one of {known}.")
        if posted.ver and not _VERSION.fullmatch(posted.ver):
            raise RefusedError(
                f"The version is {posted.ver[:64]!r}, but must be at most 32 letters, digits and "
                "any of . _ -."
            )
        if posted.els:
            _require_selectors(posted.els)


@lru_cache(_KNOWN)
def _page(asked: str) -> str:
    page = asked.partition("#")[0].partition("?")[0]
    # Browsers take what begins with two slashes, or a backslash for one of them, for another site.
    is_path = page.startswith("/") and page[1:2] not in {"/", "\\"}
    if not is_path or len(page) > 512 or not page.isprintable():
        raise RefusedError(
            f"The page is {asked[:64]!r}, but must be a path of at most 512 printable "
            "characters that starts with one slash."
        )
    return page


def _require_selectors(selectors: list[str]) -> None:
    if len(selectors) > SELECTORS_MAX:
        raise RefusedError(
            f"The batch names {len(selectors)} elements, but may name {SELECTORS_MAX}."
        )
    for selector in selectors:
        if len(selector) > _SELECTOR_LENGTH_MAX or not selector.isprintable():
            raise RefusedError(
                f"An element is {selector[:64]!r}, but must have at most {_SELECTOR_LENGTH_MAX} "
                "printable characters."
            )


@lru_cache(_KNOWN)
def _view_id(text: str) -> int:
    try:
        number = urlsafe_b64decode(text + "=")
    except ValueError:
        number = b""
    if len(number) != 8:
        raise RefusedError(f"The id is {text!r}, but must be 64 bits in base64url.")
    return int.from_bytes(number, "little")


def _audience(posted: Posted, sender: Sender) -> int:
    if sender.is_bot or posted.flags & IS_WEBDRIVER:
        return BOT
    return STAFF if sender.is_staff or posted.flags & IS_STAFF else HUMAN


def _band(posted: Posted) -> tuple[int, int] | None:
    if posted.at is None:
        return None
    top, bottom = posted.at
    if not 0 <= top <= bottom <= SPAN:
        raise RefusedError(
            f"The band at is {list(posted.at)}, but must lie in order between 0 and {SPAN}."
        )
    return posted.at


def _rows(posted: Posted, group: str, rejected: list[Rejected]) -> Rows:
    rows: list[int] = getattr(posted, group)
    if not rows:
        return rows
    _require_few(group, rows)
    return checked(group, rows, len(posted.els), posted.age, rejected)


def _require_few(group: str, rows: Sequence[Any]) -> None:
    if len(rows) > _EVENTS_MAX * len(GROUPS[group]):
        raise RefusedError(
            f"The batch has {len(rows) // len(GROUPS[group])} events of {group}, but may have "
            f"{_EVENTS_MAX}."
        )


def _salvaged(body: bytes, error: msgspec.ValidationError, rejected: list[Rejected]) -> Posted:
    """The batch without its unreadable events; RefusedError when it is not those that are wrong."""
    try:
        raw = msgspec.json.decode(body)
    except _UNREADABLE as unreadable:
        raise RefusedError(f"The body can't be read: {unreadable}.") from unreadable
    if not isinstance(raw, dict):
        raise RefusedError("The body must be one JSON object.") from error
    for group, columns in GROUPS.items():
        raw[group] = _numbers_only(group, raw.get(group, []), len(columns), rejected)
    try:
        return msgspec.convert(raw, Posted)
    except msgspec.ValidationError as remaining:
        raise RefusedError(_sentence(raw, remaining)) from remaining


def _numbers_only(group: str, rows: Any, width: int, rejected: list[Rejected]) -> list[int]:
    if not isinstance(rows, list):
        rejected.append(Rejected(group, f"{group} must be a list of numbers.", rows))
        return []
    # Each rejected event becomes a letter that is longer than itself.
    _require_few(group, rows)
    kept: list[int] = []
    for i in range(0, len(rows), width):
        row = rows[i : i + width]
        if all(type(value) is int and abs(value) < 2**31 for value in row):
            kept += row
        else:
            reason = "Each value must be a whole number of 32 bits."
            rejected.append(Rejected(f"{group}[{i // width}]", reason, row))
    return kept


def _sentence(raw: dict[str, Any], error: msgspec.ValidationError) -> str:
    expected, _, path = str(error).partition(" - at `$")
    expected = expected[0].lower() + expected[1:]
    field = path.strip("`.").partition(".")[0].partition("[")[0]
    if not field:
        return f"The batch can't be read: {expected}."
    return f"In the batch {field} is {str(raw.get(field))[:64]!r}: {expected}."
