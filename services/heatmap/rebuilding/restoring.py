"""Gives a store that lost its data what it was not given, beside a worker that may be running.

What is missing is added to what is there, so it does not matter what the worker adds meanwhile.
Each grid is marked in the same step in which it is added to: a second run adds nothing twice, and
goes on where a killed one stopped.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import redis
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from services.common.phases import Phases
from services.heatmap.archiving.files import positions
from services.heatmap.grid import LEVEL_MS
from services.heatmap.keys import INDEX_S, KEEP_MS, SEEN_BATCHES, SEEN_S, Keys
from services.heatmap.rebuilding.coverage import claim, not_given
from services.heatmap.rebuilding.folding import LATE, by_level, folded, within
from services.heatmap.rebuilding.indexing import add_index
from services.heatmap.rebuilding.packing import grids
from services.heatmap.rebuilding.reading import Period, archived, first_copies

_ADD = Path(__file__).with_name("add.lua").read_text()
_AT_A_TIME = 200
_COUNT = "added long"


@dataclass(frozen=True)
class Target:
    """The store to restore, as a task on another machine needs it."""

    url: str
    keys: Keys

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def add(
        self, store: redis.Redis, command: str, packed: Sequence[tuple[str, int, bytes | str]]
    ) -> int:
        """Add by `command` to those names that were not added to before; how many these were."""
        names = [self.keys.restored(), *(name for name, _, _ in packed)]
        values = [value for _, *rest in packed for value in (command, *rest)]
        return int(store.register_script(_ADD)(keys=names, args=values))


def restore(
    spark: SparkSession, folder: Path, period: Period, target: Target, phases: Phases
) -> None:
    """Add the archive's part of a period to the store; RestoreError when it does not fit."""
    rows = archived(spark, folder, period)
    with target.client() as store:
        beginnings = claim(store, target.keys, positions(folder))
    missing = first_copies(not_given(rows, beginnings))
    with phases("marking batches as seen") as counts:
        counts["batches"] = _mark_seen(missing, target)
    entries = folded(missing).persist(StorageLevel.DISK_ONLY)
    with phases("adding to the store") as counts:
        counts["grids"] = _add_grids(within(entries, period), target)
        counts["pages with late events"] = _add_late(entries, target)
    with phases("indexing"), target.client() as store:
        add_index(store, target.keys, within(entries, period), missing)


def _mark_seen(rows: DataFrame, target: Target) -> int:
    """Have the worker know the batches of the last day, so that it takes no second copy of one."""
    since_ms = (time.time() - SEEN_S) * 1000

    def mark(some: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with target.client() as store:
            for ids in some:
                _mark(store, target.keys, ids)
                yield _counted(ids.num_rows)

    recent = rows.where(f.col("received_ms") > since_ms).select("view_id", "number")
    return _total(recent.mapInArrow(mark, _COUNT))


def _add_grids(entries: DataFrame, target: Target) -> int:
    """Add entries to those grids that are kept for longer than this moment."""
    keep_until_ms = f.col("bucket") * by_level(LEVEL_MS) + by_level(KEEP_MS)
    ordered = (
        entries.withColumn("keep_until_ms", keep_until_ms)
        .where(f.col("keep_until_ms") > time.time() * 1000)
        .repartition("variant", "level", "bucket")
        .sortWithinPartitions("variant", "level", "bucket", "key")
    )

    def add(some: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        packed = grids(some, target.keys)
        with target.client() as store:
            while group := list(islice(packed, _AT_A_TIME)):
                yield _counted(target.add(store, "APPEND", group))

    return _total(ordered.mapInArrow(add, _COUNT))


def _add_late(entries: DataFrame, target: Target) -> int:
    """Add to the pages' counters of late events."""
    keep_until_ms = round((time.time() + INDEX_S) * 1000)
    found = entries.where(f.col("level") == LATE).select("variant", "value").toLocalIterator()
    pages = ((*row["variant"].split("|", 1), str(row["value"])) for row in found)
    packed = ((target.keys.late(site, page), keep_until_ms, late) for site, page, late in pages)
    added = 0
    with target.client() as store:
        while group := list(islice(packed, _AT_A_TIME)):
            added += target.add(store, "INCRBY", group)
    return added


def _mark(store: redis.Redis, keys: Keys, ids: pa.RecordBatch) -> None:
    with store.pipeline(transaction=False) as together:
        for view_id, number in zip(*(column.to_pylist() for column in ids.columns), strict=True):
            name = keys.seen(view_id % 2**64, number)
            together.setbit(name, number % SEEN_BATCHES, 1)
            together.expire(name, SEEN_S)
        together.execute()


def _counted(count: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([count], pa.int64())], names=["added"])


def _total(counts: DataFrame) -> int:
    return int(counts.agg(f.coalesce(f.sum("added"), f.lit(0))).collect()[0][0])
