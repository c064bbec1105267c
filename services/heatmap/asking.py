"""The seam between HTTP and the store: what the API asks of the heat, and how it is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.heatmap.answers import Page
from services.heatmap.grid import ROWS, Tally, Variant
from services.heatmap.presence import Present
from services.heatmap.store import Place, Tails

UNNAMED = "-none-"
"""How a filter asks for pages that name no version, as an empty one means all versions."""


class UnknownError(LookupError):
    """There is no such site or page."""


@dataclass(frozen=True)
class Asked:
    """Which visits of which page are asked for; an empty class or version means all of them."""

    site: str
    page: str
    view_class: str = ""
    version: str = ""
    audience: str = "human"
    k: int = 0

    def takes(self, one: Variant | Present) -> bool:
        return (
            self.view_class in {"", one.view_class}
            and self.version in {"", one.version or UNNAMED}
            and self.audience in {"all", one.audience}
        )


@dataclass(frozen=True)
class Presence:
    """People who have a page open now, and on how many of their screens each row is."""

    here: int
    bands: list[int]


def shown(presence: Presence, k: int) -> Presence:
    """Who is here now; where they look only when there are at least k of them."""
    return presence if presence.here >= k else Presence(presence.here, [0] * ROWS)


class Heat(Protocol):
    """Every method raises redis' ConnectionError or TimeoutError while the store is away."""

    async def pages(self, site: str) -> list[Page]:
        """The pages of a site that were visited, the last visited first."""
        ...

    async def variants(self, site: str, page: str) -> list[Variant]:
        """The kinds of visits to a page; none when there was no visit."""
        ...

    async def tally(self, chosen: Sequence[Variant], buckets: Mapping[str, Sequence[int]]) -> Tally:
        """Everything in these buckets, by level, of these variants."""
        ...

    async def tails(self, known: Mapping[Place, int]) -> Tails:
        """What 5 s tallies got beyond the number of entries that is known of them."""
        ...

    async def elements(self, site: str, page: str, ids: Sequence[int]) -> dict[int, str]:
        """The selectors of elements, as far as they are known."""
        ...

    async def presence(self, asked: Asked) -> Presence:
        """Who is here, as of at most a second ago."""
        ...

    async def late(self, site: str, page: str) -> int:
        """Events of a page that came too late for its grids, ever."""
        ...

    async def watch(self, site: str, page: str) -> None:
        """Have the page's trackers send faster for the next 10 s."""
        ...

    async def rate(self) -> int:
        """Simulated visitors a minute."""
        ...

    async def set_rate(self, per_minute: int) -> None: ...

    async def applied(self, partitions: Sequence[int]) -> dict[int, int]:
        """The first offset of each partition that is not in the grids yet."""
        ...
