"""`python -m services.heatmap.job`: the grids of a past period, made anew from the archive.

Without --into-store they become Parquet in STATE_DIR/heatmap/grids. With it they go to Valkey,
which is the way back after Valkey lost everything: it may run beside the worker, and again after it
was stopped. Exit status: 0 done, 1 it could not run.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import redis
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from services.common.phases import Phases, say
from services.common.settings import Settings, load_settings
from services.common.spark import spark_folder, spark_session
from services.heatmap.archiving.files import ArchiveError, archive_folder
from services.heatmap.keys import Keys
from services.heatmap.rebuilding.coverage import RestoreError
from services.heatmap.rebuilding.folding import folded, readable, within
from services.heatmap.rebuilding.publishing import grids_folder, published
from services.heatmap.rebuilding.reading import Period, archived, first_copies
from services.heatmap.rebuilding.restoring import Target, restore


class JobError(Exception):
    """A rebuild that can't go on; its text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild one period; give the exit status."""
    options = _options(arguments)
    settings = load_settings()
    try:
        _run(settings, options.period, into_store=options.into_store)
    except (ArchiveError, RestoreError, JobError) as error:
        return _failed(str(error))
    except redis.RedisError as error:
        return _failed(f"Valkey at {settings.valkey_url} (VALKEY_URL) failed: {error}")
    except (PySparkException, Py4JError) as error:
        reason = str(error).splitlines()[0]
        log = spark_folder(settings) / "spark.log"
        return _failed(f"Spark on {settings.spark_master} failed: {reason}; its log is {log}.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.heatmap.job", description=__doc__)
    when = "a day or a time, UTC unless it says otherwise: 2026-03-01 or 2026-03-01T10:00"
    parser.add_argument("--from", dest="from_ms", type=_time_ms, required=True, help=when)
    parser.add_argument("--to", dest="to_ms", type=_time_ms, required=True, help="before this")
    parser.add_argument("--into-store", action="store_true", help="to Valkey instead of Parquet")
    options = parser.parse_args(arguments)
    if options.from_ms >= options.to_ms:
        parser.error("--from must lie before --to.")
    options.period = Period(options.from_ms, options.to_ms)
    return options


def _time_ms(text: str) -> int:
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a time such as 2026-03-01 or 2026-03-01T10:00."
        ) from error
    return round((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)


def _run(settings: Settings, period: Period, *, into_store: bool) -> None:
    if into_store and not settings.valkey_url:
        raise JobError("No Valkey is known; start one with `make demo` or set VALKEY_URL.")
    phases = Phases(say)
    with spark_session(settings, "heat map rebuild", phases) as spark:
        if into_store:
            target = Target(settings.valkey_url, Keys())
            restore(spark, archive_folder(settings.state_dir), period, target, phases)
        else:
            _publish(spark, settings, period, phases)


def _publish(spark: SparkSession, settings: Settings, period: Period, phases: Phases) -> None:
    rows = archived(spark, archive_folder(settings.state_dir), period)
    folder = grids_folder(settings.state_dir)
    with (
        phases("folding into grids") as counts,
        published(folder, period, datetime.now(UTC)) as staged,
    ):
        found = readable(within(folded(first_copies(rows)), period))
        found.write.parquet(str(staged.resolve()))
        counts["values"] = spark.read.parquet(str(staged.resolve())).count()
    say(f"The grids are in {folder}.")


def _failed(reason: str) -> int:
    print(f"The grids were not rebuilt: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
