"""What a long job tells while it runs: one line for each phase, with its seconds and counts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]


class Phases:
    """Times the phases of one job; a name that comes twice adds up."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[dict[str, int]]:
        """Time the block; what it counts goes into the dict and is shown behind the seconds."""
        counts: dict[str, int] = {}
        began_s = time.monotonic()
        yield counts
        spent_s = time.monotonic() - began_s
        self.seconds[name] = self.seconds.get(name, 0.0) + spent_s
        shown = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        self._say(f"  {name:<26}{spent_s:6.1f} s  {shown}".rstrip())


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)
