"""Reads a past period from the archive with Spark: each batch once, whatever was sent twice."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as f

from services.heatmap.archiving.files import ArchiveError, pieces, received_between

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Period:
    """A time from `from_ms` to before `to_ms`, UTC in milliseconds."""

    from_ms: int
    to_ms: int

    @property
    def received_from_ms(self) -> int:
        """The first receipt that matters: of copies, the first may have come in before."""
        return self.from_ms - HOUR_MS

    @property
    def received_to_ms(self) -> int:
        """The last: what comes in later than an hour after it happened is in no grid."""
        return self.to_ms + HOUR_MS


def archived(spark: SparkSession, folder: Path, period: Period) -> DataFrame:
    """The archive's rows that may hold events of a period; ArchiveError when there are none."""
    chosen = received_between(pieces(folder), period.received_from_ms, period.received_to_ms)
    if not chosen:
        raise ArchiveError(
            f"The archive in {folder} has nothing of the period from {_shown(period.from_ms)} to "
            f"{_shown(period.to_ms)}."
        )
    paths = [str(piece.path(folder).resolve()) for piece in chosen]
    received = f.col("received_ms").between(period.received_from_ms, period.received_to_ms)
    return spark.read.parquet(*paths).where(received)


def first_copies(rows: DataFrame) -> DataFrame:
    """The rows without the second and later copies of a batch.

    Only the ids are sorted: copies are few, and what they hold is not moved to find them.
    """
    same = Window.partitionBy("view_id", "number").orderBy("received_ms", "partition", "offset")
    copies = (
        rows.select("view_id", "number", "received_ms", "partition", "offset")
        .withColumn("copy", f.row_number().over(same))
        .where("copy > 1")
        .select("partition", "offset")
    )
    return rows.join(copies, ["partition", "offset"], "left_anti")


def _shown(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%F %T} UTC"
