"""The names of the heat map's keys in Valkey, and how long each is kept."""

from dataclasses import dataclass

from services.heatmap.grid import Variant

KEEP_MS = {"5s": 7_200_000, "1m": 172_800_000, "1h": 1_209_600_000, "1d": 34_560_000_000}
"""How long after its beginning a bucket of each level is there."""

SEEN_S = 26 * 3600
"""Longer than the topic's retention and the lateness allowed: what is forgotten counts no more."""

INDEX_S = KEEP_MS["1d"] // 1000
WATCHED_MS = 10_000
SALT_S = 48 * 3600


@dataclass(frozen=True)
class Keys:
    """All names begin with `prefix`, so that tests and demo don't meet."""

    prefix: str = "heat"

    def grid(self, level: str, bucket: int, variant: Variant | str) -> str:
        return f"{self.prefix}:g:{level}:{bucket}:{variant}"

    def variants(self, site: str, page: str) -> str:
        return f"{self.prefix}:variants:{site}|{page}"

    def pages(self, site: str) -> str:
        return f"{self.prefix}:pages:{site}"

    def elements(self, site: str, page: str) -> str:
        return f"{self.prefix}:elements:{site}|{page}"

    def partition(self, number: int) -> str:
        return f"{self.prefix}:partition:{number}"

    def seen(self, view_id: int) -> str:
        return f"{self.prefix}:seen:{view_id}"

    def late(self, site: str, page: str) -> str:
        return f"{self.prefix}:late:{site}|{page}"

    def here(self, window: int, site: str, page: str) -> str:
        return f"{self.prefix}:here:{window}:{site}|{page}"

    def watched(self) -> str:
        return f"{self.prefix}:watched"

    def salt(self, day: str) -> str:
        return f"{self.prefix}:salt:{day}"

    def rate(self) -> str:
        return f"{self.prefix}:visitors:rate"
