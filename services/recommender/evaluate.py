"""`python -m services.recommender.evaluate`: how good the recommender is, by the protocol.

Learns from the orders before a cut, then asks about all orders of the 30 days up to the newest,
beside two simple recommenders. Judges the orders of the shop or, with `--orders`, those of another
file, which never enter the shop's tables. Exit status: 0 done, 1 it could not run, 2 the input is
wrong.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from services.common.figures import record
from services.common.phases import say
from services.common.postgres import MigrationError, migrate, queries
from services.common.settings import Settings, load_settings
from services.recommender.load import CLOCK_SLACK
from services.recommender.loading.columns import MappingError
from services.recommender.loading.intake import Intake
from services.recommender.loading.ledger import LoadError, Source
from services.recommender.loading.options import add_file_options, own_source, parsed
from services.recommender.loading.report import progress_line, summary
from services.recommender.loading.sources import SourceError
from services.recommender.training.evaluation import evaluate
from services.recommender.training.job import job
from services.recommender.training.publish import JobError, away
from services.recommender.training.scores import ONLINE_RETAIL, SERVED, counts_of, figures, table
from services.recommender.training.trial import connect, scratch_schema

ROOM = Path(__file__).parent
SHOP = "public"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one evaluation; give the exit status."""
    options = _options(arguments)
    settings = load_settings()
    try:
        _run(options, settings)
    except psycopg.OperationalError as error:
        print(f"The evaluation stopped: {away(settings.postgres_url, error)}", file=sys.stderr)
        return 1
    except (SourceError, MappingError) as error:
        print(error, file=sys.stderr)
        return 2
    except (psycopg.Error, MigrationError, JobError, LoadError, OSError) as error:
        print(f"The evaluation stopped: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe evaluation was interrupted.", file=sys.stderr)
        return 130
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m services.recommender.evaluate", description=__doc__
    )
    add_file_options(parser)
    return parsed(parser, arguments)


def _run(options: argparse.Namespace, settings: Settings) -> None:
    source = own_source(options)
    if not settings.postgres_url:
        raise JobError("No database is known; start one with `make demo` or set POSTGRES_URL.")
    statements = queries(ROOM / "training" / "training.sql")
    with psycopg.connect(settings.postgres_url, autocommit=True, connect_timeout=5) as connection:
        migrate(connection, "recommender", ROOM / "schema.sql")
        with job(settings, connection, statements):
            if source is None:
                reports = evaluate(settings, statements, SHOP, "the shop's orders")
            else:
                with _loaded(source, settings) as schema:
                    reports = evaluate(settings, statements, schema, source.name)
    say("\n" + table(reports))
    if source is None and counts_of(reports[SERVED]) == ONLINE_RETAIL:
        record(settings.results_dir, *figures(reports))
        say(f"\nThese are the counts of Online Retail: recorded in {settings.results_dir}.")


@contextmanager
def _loaded(source: Source, settings: Settings) -> Iterator[str]:
    """The schema of a shop that has a file's orders and nothing else, dropped afterwards."""
    rejects = settings.state_dir / "recommender" / "evaluation"
    with scratch_schema(settings.postgres_url) as schema:
        with connect(settings.postgres_url, schema) as connection:
            now = datetime.now(UTC) + CLOCK_SLACK
            intake = Intake(connection, queries(ROOM / "loading" / "load.sql"), rejects, now)
            began_s = time.monotonic()
            progress = intake.load(source, progress_line(sys.stdout))
            seconds = time.monotonic() - began_s
            say(summary(progress, intake.reject_file(source), intake.totals(), seconds))
        yield schema


if __name__ == "__main__":
    sys.exit(main())
