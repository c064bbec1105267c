"""The names of the heat map's keys in Valkey, and how long each is kept."""

from dataclasses import dataclass

from services.heatmap.grid import Variant

KEEP_MS = {"5s": 7_200_000, "1m": 172_800_000, "1h": 1_209_600_000, "1d": 34_560_000_000}
"""How long after its beginning a bucket of each level is there."""

SEEN_S = 28 * 3600
"""What is forgotten counts no more: Kafka gives a record until its whole segment is over a day old,
which takes 25 hours and some minutes, and a copy that came an hour after the first is late."""

SEEN_BATCHES = 1024
"""Batches of one bitmap: a number is the sender's choice and must not make a long one."""

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

    def seen(self, view_id: int, number: int = 0) -> str:
        """The bitmap with the bit of a batch, which is number % SEEN_BATCHES."""
        return f"{self.prefix}:seen:{view_id}:{number // SEEN_BATCHES}"

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

    def restored(self) -> str:
        return f"{self.prefix}:restored"
