"""When they come: arrivals as a Poisson process at a rate that may change, and who it is then."""

import random
from collections.abc import Iterator, Sequence

from services.heatmap.visiting.pages import Choice
from services.heatmap.visiting.people import visitor
from services.heatmap.visiting.visits import LONGEST_MS, Visit, visit


class Crowd:
    """The visitors of `seed`, one after the other; `choices` may change as pages become known."""

    def __init__(self, seed: int, choices: Sequence[Choice]) -> None:
        self.choices = choices
        self._seed = seed
        self._number = 0

    def next_visit(self) -> Visit:
        """The visit of whoever comes next; who that is does not hang on who asks when."""
        rng = random.Random(f"{self._seed}/{self._number}")  # noqa: S311
        self._number += 1
        page = rng.choices([c.page for c in self.choices], [c.weight for c in self.choices])[0]
        return visit(rng, visitor(rng), page)


class Arrivals:
    """How many come in a time. Waits are exponential in units of what the rate expects."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"{seed}/arrivals")  # noqa: S311
        self._left = self._rng.expovariate(1.0)

    def during(self, elapsed_s: float, per_minute: float) -> int:
        """How many came in `elapsed_s` at this rate."""
        self._left -= elapsed_s * per_minute / 60
        came = 0
        while self._left <= 0:
            self._left += self._rng.expovariate(1.0)
            came += 1
        return came


def already_here(
    crowd: Crowd, arrivals: Arrivals, per_minute: float
) -> Iterator[tuple[Visit, int]]:
    """Visits under way, had they come at this rate all along, and since how many milliseconds.

    Those who came last are the first.
    """
    for ago_ms in range(1_000, LONGEST_MS + 1_000, 1_000):
        for _ in range(arrivals.during(1.0, per_minute)):
            one = crowd.next_visit()
            if one.ends_ms > ago_ms:
                yield one, ago_ms
