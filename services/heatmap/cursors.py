"""Where the reader of a stream is: how much of each tally it has, written as the id of an event."""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

import msgspec

from services.heatmap.asking import Asked
from services.heatmap.grid import Variant
from services.heatmap.store import Place

_LENGTH_MAX = 1 << 40
_written = msgspec.msgpack.Decoder(tuple[int, str, int, dict[str, list[int]]])


@dataclass(frozen=True)
class Cursor:
    """How many entries of each tally a client has, from the bucket `first` on.

    stream: stands for what was asked; the cursor means nothing to another question.
    run: the life of the store that the counts belong to. After a crash it may have lost its last
    second and grown again, so that the same lengths would mean other entries.
    """

    stream: int
    run: str
    first: int
    lengths: Mapping[Place, int] = field(default_factory=dict)

    def written(self) -> str:
        """As the id of an event."""
        kinds: dict[str, list[int]] = {}
        for (variant, bucket), length in sorted(self.lengths.items()):
            if length:
                known = kinds.setdefault("|".join(variant[1:4]), [])
                known += [0] * (bucket - self.first - len(known)) + [length]
        packed = msgspec.msgpack.encode((self.stream, self.run, self.first, kinds))
        return urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(text: str, asked: Asked) -> Cursor | None:
    """The cursor of an event's id; None when it is none, or not of a stream like this one."""
    try:
        packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        stream, run, first, kinds = _written.decode(packed)
        lengths = {
            (Variant(asked.site, *_kind(kind), asked.page), first + i): length
            for kind, known in kinds.items()
            for i, length in enumerate(known)
            if 0 < length < _LENGTH_MAX
        }
    except (ValueError, msgspec.MsgspecError):
        return None
    return Cursor(stream, run, first, lengths) if stream == stream_id(asked) else None


def stream_id(asked: Asked) -> int:
    """32 bits that stand for a question."""
    return zlib.crc32("|".join(map(str, astuple(asked))).encode())


def _kind(text: str) -> tuple[str, str, str]:
    view_class, audience, version = text.split("|")
    return view_class, audience, version
