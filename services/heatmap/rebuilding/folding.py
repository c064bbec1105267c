"""Folds archived batches on Spark with the same functions as the live worker, then sums them up."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from services.heatmap.archiving.rows import batches
from services.heatmap.events import Batch
from services.heatmap.folding import Folded, FoldError, fold
from services.heatmap.grid import LEVEL_MS, WHO, tally
from services.heatmap.levels import Ints, Level
from services.heatmap.rebuilding.reading import Period

ENTRIES = "variant string, level string, bucket long, key long, value long"
ENTRY_NAMES = ["variant", "level", "bucket", "key", "value"]
GRID_COLUMNS = (
    *("site", "class", "audience", "version", "page"),
    *("level", "bucket", "layer", "cell", "element", "sub", "value"),
)
# Rows that one task folds at a time; a batch has at most 64 KiB, most have a few hundred bytes.
AT_A_TIME = 2_000
LATE = "late"
"""Stands for a level where the late events of a page are counted; its variant is site|page."""


def folded(rows: DataFrame) -> DataFrame:
    """The entries of all grids that the rows touch, and their late events: ENTRIES, summed up."""
    is_mask = _layer() >= WHO
    total = f.sum(f.when(~is_mask, f.col("value")))
    union = f.bit_or(f.when(is_mask, f.col("value")))
    return (
        rows.mapInArrow(_fold, ENTRIES)
        .groupBy("variant", "level", "bucket", "key")
        .agg(f.coalesce(total, union).alias("value"))
        .where("value <> 0")
    )


def within(found: DataFrame, period: Period) -> DataFrame:
    """The entries of grids whose whole time lies in the period.

    Of a bucket at its edge, a part would look like all there was.
    """
    begins_ms, length_ms = f.col("bucket") * by_level(LEVEL_MS), by_level(LEVEL_MS)
    return found.where((begins_ms >= period.from_ms) & (begins_ms + length_ms <= period.to_ms))


def by_level(values: Mapping[str, int]) -> Column:
    """A number for the level of each row; null where the level is none."""
    pairs = [f.lit(value) for pair in values.items() for value in pair]
    return f.create_map(*pairs)[f.col("level")]


def readable(found: DataFrame) -> DataFrame:
    """Entries with their variants and keys taken apart: GRID_COLUMNS."""
    parts = f.split("variant", r"\|", 5)
    return found.select(
        parts[0].alias("site"),
        parts[1].alias("class"),
        parts[2].alias("audience"),
        parts[3].alias("version"),
        parts[4].alias("page"),
        "level",
        "bucket",
        _layer().cast("tinyint").alias("layer"),
        _bits(46, 14).cast("int").alias("cell"),
        _bits(20, 26).cast("int").alias("element"),
        _bits(0, 20).cast("int").alias("sub"),
        "value",
    )


def _fold(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for some in rows:
        for start in range(0, some.num_rows, AT_A_TIME):
            found = _folded(list(batches(some.slice(start, AT_A_TIME))))
            variants = pa.array(found.variants, pa.string())
            for name, level in found.levels.items():
                yield _of_level(name, level, variants)
            yield _late(found.late)


def _folded(some: Sequence[Batch]) -> Folded:
    """What batches add to the grids, without those that the worker does not take either."""
    try:
        return fold(some)
    except FoldError:
        return fold([batch for batch in some if _folds(batch)])


def _folds(batch: Batch) -> bool:
    try:
        fold([batch])
    except FoldError:
        return False
    return True


def _of_level(name: str, level: Level, variants: pa.Array) -> pa.RecordBatch:
    entries = tally(level.packed)
    lengths = np.diff(level.ends, prepend=0)
    return _batch(
        variants.take(pa.array(np.repeat(level.variant, lengths))),
        name,
        np.repeat(level.bucket, lengths),
        entries["key"].view(np.int64),
        entries["value"],
    )


def _late(late: Mapping[str, int]) -> pa.RecordBatch:
    nothing = np.zeros(len(late), np.int64)
    values = np.array([*late.values()], np.int64)
    return _batch(pa.array([*late], pa.string()), LATE, nothing, nothing, values)


def _batch(variant: pa.Array, level: str, bucket: Ints, key: Ints, value: Ints) -> pa.RecordBatch:
    columns = [variant, pa.array([level] * len(value), pa.string())]
    columns += [pa.array(np.ascontiguousarray(numbers)) for numbers in (bucket, key, value)]
    return pa.RecordBatch.from_arrays(columns, names=ENTRY_NAMES)


def _layer() -> Column:
    return f.shiftrightunsigned("key", 60)


def _bits(shift: int, width: int) -> Column:
    return f.shiftrightunsigned("key", shift).bitwiseAND(f.lit((1 << width) - 1))
