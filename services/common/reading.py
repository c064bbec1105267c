"""What a collector and the schema of a topic say to each other: a sender, a body, its reading."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct


class RefusedError(ValueError):
    """A body of which nothing can be kept; the text is one full sentence."""


class Sender(Struct, frozen=True):
    """Who sent a body, as far as it is kept: never an address."""

    received_ms: int
    is_bot: bool
    is_staff: bool
    visitor: Callable[[str], int]
    """64 bits for a site's visitor of today; 0 when there is no secret to make them with."""


class Rejected(Struct, frozen=True):
    """One event that can't be kept, as it came, and why."""

    event: str
    reason: str
    content: Any


class Reading(Struct, frozen=True):
    """A body that was understood: one record for the topic, and what of it was rejected.

    value: the record; None when no event of the body can be kept.
    salt: spreads the records of a hot key; the same in every retry of a body.
    subject: what the reply is about, such as a page.
    """

    key: str
    value: bytes | None
    events: int
    salt: int
    subject: str
    rejected: Sequence[Rejected] = ()


class Schema(Protocol):
    """How the bodies of one topic are read."""

    def read(self, body: bytes, sender: Sender) -> Reading:
        """The reading of a body; RefusedError when nothing of it can be kept."""
        ...
