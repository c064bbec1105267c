"""`python -m services.recommender.train`: learns neighbours, judges them, publishes what is better.

Exit status: 0 done, 1 it could not run, 3 trained but not published, for the serving model is
better. Whatever happens before the last step, the answers stay as they were.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

from services.common.phases import say
from services.common.postgres import MigrationError, migrate, queries
from services.common.settings import Settings, load_settings
from services.recommender.training.publish import JobError, away, serving

ROOM = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one training; give the exit status."""
    options = _options(arguments)
    settings = load_settings()
    try:
        return _run(options, settings)
    except psycopg.OperationalError as error:
        print(f"The training stopped: {away(settings.postgres_url, error)}", file=sys.stderr)
        return 1
    except (psycopg.Error, MigrationError, JobError) as error:
        print(f"The training stopped: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe training was interrupted; nothing was published.", file=sys.stderr)
        return 130


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m services.recommender.train", description=__doc__
    )
    parser.add_argument("--if-missing", action="store_true", help="only when no model serves")
    parser.add_argument("--force", action="store_true", help="publish even a worse model")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, settings: Settings) -> int:
    if not settings.postgres_url:
        raise JobError("No database is known; start one with `make demo` or set POSTGRES_URL.")
    with psycopg.connect(settings.postgres_url, autocommit=True, connect_timeout=5) as connection:
        migrate(connection, "recommender", ROOM / "schema.sql")
        statements = queries(ROOM / "training" / "training.sql")
        served = serving(connection, statements)
        if served and options.if_missing:
            say(f"Nothing to train, version {served.version} of the model serves.")
            return 0
        # Spark and MLflow take seconds to import, which a start that has a model is spared.
        from services.recommender.training.run import train  # noqa: PLC0415

        return train(settings, connection, statements, force=options.force)


if __name__ == "__main__":
    sys.exit(main())
