"""Which part of the topic a store was given, and having it go on behind the archive.

Per partition the store knows the offsets [first, next) that the worker gave it. A store that lost
everything knows nothing; then the worker is told to go on where the archive ends.
"""

from collections.abc import Mapping
from pathlib import Path

import redis
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from services.heatmap.keys import Keys

_CLAIM = Path(__file__).with_name("claim.lua").read_text()


class RestoreError(Exception):
    """A store that can't be restored now; the text says why."""


def claim(store: redis.Redis, keys: Keys, archived: Mapping[int, int]) -> dict[int, int]:
    """The offset that each partition of the store begins at, which is the archive's end if empty.

    archived: where the archive of each partition ends. RestoreError when that is before the
    store's beginning.
    """
    script = store.register_script(_CLAIM)
    found = {n: int(script(keys=[keys.partition(n)], args=[end])) for n, end in archived.items()}
    for number, first in found.items():
        if first > archived[number]:
            raise RestoreError(
                f"The store begins at offset {first} of partition {number}, but the archive ends "
                f"at {archived[number]}: what lies between would be missing. Wait until the "
                "archive has caught up."
            )
    return found


def not_given(rows: DataFrame, beginnings: Mapping[int, int]) -> DataFrame:
    """The rows from before the store's beginning, without those it got a copy of since."""
    pairs = [f.lit(value) for pair in beginnings.items() for value in pair]
    first = f.create_map(*pairs)[f.col("partition")]
    given = rows.where(f.col("offset") >= first).select("view_id", "number")
    return rows.where(f.col("offset") < first).join(given, ["view_id", "number"], "left_anti")
