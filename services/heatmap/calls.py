"""What one call of `apply.lua` is told: the tallies, marks and indexes of some batches, packed."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from services.heatmap import presence
from services.heatmap.events import Batch, element_id
from services.heatmap.folding import Folded
from services.heatmap.grid import LEVEL_MS, LEVELS
from services.heatmap.keys import INDEX_S, KEEP_MS, SEEN_BATCHES, SEEN_S, Keys
from services.heatmap.levels import Level

ELEMENTS_MAX = 2_000
LONG_BYTES = 16_384
GROWN_MAX = 200
BRIEF = ("5s", "1m")


class LevelCall(msgspec.Struct, frozen=True):
    """The grids of a level, flat: number of the variant, bucket, from and to of the tally.

    brief: whether buckets are so short that most of them are new.
    """

    name: str
    width_ms: int
    keep_ms: int
    brief: bool
    merges: bool
    grids: list[int]


class Call(msgspec.Struct, frozen=True):
    """The fourth argument of `apply.lua`; the fifth has the bytes, which Lua's msgpack knows not.

    seen, numbers: the bitmap of each batch and its bit there. elements: selectors by page and id.
    present: flat: key, from and to of the words. late: counts by key.
    long: from how many bytes on a tally is named in the answer, at most grown_max / 2 of them.
    """

    prefix: str
    variants: list[str]
    levels: list[LevelCall]
    seen: list[str]
    numbers: list[int]
    elements: dict[str, dict[int, str]]
    present: list[str | int]
    late: dict[str, int]
    present_until_s: int
    long: int = LONG_BYTES
    grown_max: int = GROWN_MAX
    elements_max: int = ELEMENTS_MAX
    keep_seen_s: int = SEEN_S
    keep_index_s: int = INDEX_S


_encode = msgspec.msgpack.Encoder().encode


def packed(
    keys: Keys, batches: Sequence[Batch], folded: Folded, now_ms: int
) -> tuple[bytes, bytes]:
    """The call that adds these batches, of which `folded` is the fold, and its bytes."""
    parts = _Parts()
    call = Call(
        keys.prefix,
        folded.variants,
        [_level(name, folded.levels[name], parts) for name in LEVELS],
        [keys.seen(batch.view_id, batch.number) for batch in batches],
        [batch.number % SEEN_BATCHES for batch in batches],
        _elements(keys, batches),
        _present(keys, batches, now_ms, parts),
        {keys.late(*subject.split("|", 1)): count for subject, count in folded.late.items()},
        now_ms // 1000 + presence.KEEP_S,
    )
    return _encode(call), b"".join(parts.kept)


class _Parts:
    """Bytes one after the other; what several levels share is there once."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self._length = 0
        self._starts: dict[int, int] = {}

    def start(self, shared: bytes) -> int:
        """Where this part begins; it is added unless it is there."""
        start = self._starts.get(id(shared))
        if start is None:
            start, _ = self.added(shared)
            self._starts[id(shared)] = start
        return start

    def added(self, part: bytes) -> tuple[int, int]:
        """Add a part; give where it begins and ends."""
        start, self._length = self._length, self._length + len(part)
        self.kept.append(part)
        return start, self._length


def _level(name: str, level: Level, parts: _Parts) -> LevelCall:
    start = parts.start(level.packed)
    ends = start + level.ends * 16
    begins = np.concatenate([[start], ends])[: len(ends)]
    grids = np.column_stack([level.variant, level.bucket, begins, ends])
    flat = grids.ravel().tolist()
    merges = name != LEVELS[0]
    return LevelCall(name, LEVEL_MS[name], KEEP_MS[name], name in BRIEF, merges, flat)


def _elements(keys: Keys, batches: Sequence[Batch]) -> dict[str, dict[int, str]]:
    """The selectors of the elements that are named, by page and id."""
    named: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for batch in batches:
        if batch.elements:
            of_page = named[keys.elements(batch.site, batch.page)]
            for selector in batch.elements:
                of_page[element_id(selector)] = selector
    return named


def _present(keys: Keys, batches: Sequence[Batch], now_ms: int, parts: _Parts) -> list[str | int]:
    """What the newest batch of each view says of it, as far as that holds now, by log."""
    newest: dict[int, Batch] = {}
    for batch in batches:
        if batch.received_ms + presence.HOLDS_MS > now_ms:
            newest[batch.view_id] = batch
    words: defaultdict[str, list[bytes]] = defaultdict(list)
    for batch in newest.values():
        window = presence.window(batch.received_ms)
        words[keys.here(window, batch.site, batch.page)].append(presence.word(batch))
    flat: list[str | int] = []
    for key, said in words.items():
        flat += (key, *parts.added(b"".join(said)))
    return flat
