"""Rates by key in bounded memory: who sends too much, and which keys are hot."""

import math
from collections import OrderedDict
from collections.abc import Hashable

KEYS_MAX = 50_000


class RateLimit:
    """So many a second for each key, and at most one second's worth at once.

    The generic cell rate algorithm (ITU-T I.371), which is a token bucket that remembers one
    number for each key: the time at which the bucket is full again. Keys that have been quiet
    longest are forgotten first.
    """

    def __init__(self, per_s: float, keys_max: int = KEYS_MAX) -> None:
        self._step_s = 1 / per_s
        self._keys_max = keys_max
        self._full_at_s: OrderedDict[Hashable, float] = OrderedDict()

    def wait_s(self, key: Hashable, now_s: float) -> float:
        """0 when one more is within the rate, which counts it; else the seconds until it is."""
        full_at_s = max(self._full_at_s.get(key, 0.0), now_s) + self._step_s
        if full_at_s - now_s > 1 + self._step_s / 2:
            return full_at_s - now_s - 1
        self._full_at_s[key] = full_at_s
        self._full_at_s.move_to_end(key)
        if len(self._full_at_s) > self._keys_max:
            self._full_at_s.popitem(last=False)
        return 0.0


class HotKeys:
    """Keys that come more often than a threshold, by a count that decays over `memory_s`."""

    def __init__(
        self, threshold_per_s: float, memory_s: float = 2.0, keys_max: int = KEYS_MAX
    ) -> None:
        self._threshold = threshold_per_s * memory_s
        self._memory_s = memory_s
        self._keys_max = keys_max
        self._counts: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def is_hot(self, key: Hashable, now_s: float) -> bool:
        """Count one more of `key`; whether that makes more than the threshold."""
        count, at_s = self._counts.get(key, (0.0, now_s))
        count = count * math.exp((at_s - now_s) / self._memory_s) + 1
        self._counts[key] = count, now_s
        self._counts.move_to_end(key)
        if len(self._counts) > self._keys_max:
            self._counts.popitem(last=False)
        return count > self._threshold
