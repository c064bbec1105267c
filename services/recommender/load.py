"""`python -m services.recommender.load`: brings orders into the recommender's database.

Without arguments the UCI Online Retail data set, or generated orders where it cannot be had; with
`--orders` a shop's own. Exit status: 0 done, 1 the load could not run, 2 the input is wrong.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from services.common.postgres import MigrationError, migrate, queries
from services.common.settings import Settings, load_settings
from services.recommender.loading import generate, online_retail
from services.recommender.loading.columns import MappingError
from services.recommender.loading.intake import DEFAULT_STOCK, Intake
from services.recommender.loading.ledger import Ledger, LoadError, Source, one_load_at_a_time
from services.recommender.loading.options import add_file_options, own_source, parsed
from services.recommender.loading.orders import ONLINE_RETAIL
from services.recommender.loading.report import progress_line, summary
from services.recommender.loading.sources import SourceError, sha256_of

ROOM = Path(__file__).parent
REAL = "UCI Online Retail"
GENERATED = "generated orders"
# Order files hold local times, which may be ahead of UTC.
CLOCK_SLACK = timedelta(days=1)
LOUD = """
************************************************************************************************
  THE ORDERS ARE GENERATED, NOT REAL. Good for seeing the system run, worthless for judging what
  it recommends. UCI Online Retail could not be had:
  {error}
  To get it: download {url}
  anywhere, put the file as it is into a folder, set DATA_DIR to that folder, then run
  `make clean` and `make data`.
************************************************************************************************
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one load; give the exit status."""
    options = _options(arguments)
    settings = load_settings()
    try:
        return _run(options, settings)
    except (SourceError, MappingError) as error:
        print(error, file=sys.stderr)
        return 2
    except (LoadError, MigrationError, OSError, psycopg.Error) as error:
        print(f"The load stopped: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe load was interrupted; the next one goes on from here.", file=sys.stderr)
        return 130


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m services.recommender.load", description=__doc__
    )
    add_file_options(parser)
    parser.add_argument("--if-missing", action="store_true", help="only into an empty database")
    return parsed(parser, arguments)


def _run(options: argparse.Namespace, settings: Settings) -> int:
    own = own_source(options)
    if not settings.postgres_url:
        raise LoadError("no database is known; start one with `make demo` or set POSTGRES_URL.")
    with psycopg.connect(settings.postgres_url, autocommit=True) as connection:
        migrate(connection, "recommender", ROOM / "schema.sql")
        statements = queries(ROOM / "loading" / "load.sql")
        ledger = Ledger(connection, statements)
        there = ledger.sources(finished_only=True)
        if (options.if_missing and there) or (own is None and REAL in there):
            print(f"Nothing to load, the database has {', '.join(there)}.")
            return 0
        with one_load_at_a_time(connection):
            source = own or _data_set(settings)
            _refuse_mixing(source, ledger.sources(finished_only=False))
            now = datetime.now(UTC) + CLOCK_SLACK
            intake = Intake(connection, statements, settings.state_dir / "recommender", now)
            _load(intake, source)
    return 0


def _load(intake: Intake, source: Source) -> None:
    started = time.monotonic()
    print(f"Loading {source.name} from {source.path}", flush=True)
    progress = intake.load(source, progress_line(sys.stdout))
    if progress.finished:
        print("Nothing changed: this file was loaded completely before.")
        return
    seconds = time.monotonic() - started
    print(summary(progress, intake.reject_file(source), intake.totals(), seconds))
    if "stock" not in source.mapping:
        print(f"The file has no stock: each new item begins with {DEFAULT_STOCK:,} units.")


def _data_set(settings: Settings) -> Source:
    """Online Retail, or orders generated into the state folder where it cannot be had."""
    try:
        file = online_retail.obtain(settings.data_dir, settings.cache, tell)
        return Source(REAL, file, sha256_of(file), ONLINE_RETAIL)
    except SourceError as error:
        print(LOUD.format(error=error, url=online_retail.URL), flush=True)
    file = settings.state_dir / "recommender" / "generated-orders.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    generate.write_orders(file)
    return Source(GENERATED, file, sha256_of(file), ONLINE_RETAIL)


def _refuse_mixing(source: Source, there: list[str]) -> None:
    """Invented orders and real ones never share a database."""
    others = [name for name in there if name != source.name]
    if others and GENERATED in (source.name, *others):
        raise LoadError(
            f"the database holds {', '.join(others)}, which does not go together with "
            f"{source.name}. Empty it with `make clean`, then load again."
        )


def tell(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
