"""Model versions in PostgreSQL: ones that nobody reads yet, the one that serves, old ones."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, OperationalError, errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from services.recommender.protocol import Estimate
from services.recommender.recipe import Recipe

Statements = Mapping[str, sql.SQL]

KEPT_VERSIONS = 3
# Long enough for the server to notice that a killed training is gone.
LOCK_WAIT_S = 5


class JobError(Exception):
    """A training or evaluation that cannot go on; its text says why."""


@dataclass(frozen=True)
class Serving:
    """The version behind the alias, its run in MLflow and what was measured of it."""

    version: int
    run_id: str
    metrics: Mapping[str, float]


def away(postgres_url: str, error: OperationalError) -> str:
    """A sentence on a database that cannot be reached; the password is not in it."""
    parts = conninfo_to_dict(postgres_url)
    place = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
    return f"PostgreSQL at {place} (POSTGRES_URL) failed: {' '.join(str(error).split())}"


def new_version(connection: Connection, statements: Statements, run_id: str) -> int:
    """The number of a new model version, which nobody reads before it serves."""
    row = connection.execute(statements["new_version"], {"run_id": run_id}).fetchone()
    assert row is not None
    version: int = row[0]
    return version


def serve(connection: Connection, statements: Statements, version: int, recipe: Recipe) -> None:
    """Move the alias that answers are read under."""
    weights = {
        "history_items": recipe.history_items,
        "history_weight": recipe.history_weight,
        "popularity_weight": recipe.popularity_weight,
    }
    connection.execute(statements["serve"], weights | {"version": version})


def serving(connection: Connection, statements: Statements) -> Serving | None:
    """The version that serves; None before the first."""
    row = connection.execute(statements["serving"]).fetchone()
    return Serving(*row) if row else None


def publish(
    connection: Connection,
    statements: Statements,
    *,
    version: int,
    recipe: Recipe,
    as_of: datetime,
    metrics: Mapping[str, float],
) -> None:
    """Let a version serve, with the popularity of its day: all of it in one transaction."""
    with connection.transaction():
        connection.execute(
            statements["mark_published"], {"version": version, "metrics": Jsonb(metrics)}
        )
        serve(connection, statements, version, recipe)
        connection.execute(statements["refresh_popularity"], {"as_of": as_of})


def refusal(measured: Estimate | None, serving: Serving | None) -> str | None:
    """Why a model must not replace the serving one, as a sentence; None when it may.

    Worse means: by more than the half-width of its own 95 % interval.
    """
    if serving is None or "hr_at_5" not in serving.metrics:
        return None
    before = serving.metrics["hr_at_5"]
    if measured is None:
        return (
            f"there is no later order to measure it by, and version {serving.version}, which "
            f"serves, was measured at {before:.4f}"
        )
    if measured.mean < before - measured.half_width:
        return (
            f"its hit rate at 5 is {measured}, below the {before:.4f} of version "
            f"{serving.version}, which serves"
        )
    return None


def forget_unpublished(connection: Connection, statements: Statements) -> int:
    """Delete what failed trainings left; give how many versions that were."""
    return connection.execute(statements["forget_unpublished"]).rowcount


def forget_old(connection: Connection, statements: Statements) -> None:
    """Keep the last versions to go back to, delete older ones."""
    connection.execute(statements["forget_old"], {"keep": KEPT_VERSIONS})


@contextmanager
def taking_turns(connection: Connection, statements: Statements) -> Iterator[None]:
    """Hold the database's turn of training or evaluating; a JobError while another has it."""
    connection.execute("select set_config('lock_timeout', %s, false)", [f"{LOCK_WAIT_S}s"])
    try:
        connection.execute(statements["take_turn"])
    except errors.LockNotAvailable as error:
        raise JobError(
            "Another training or evaluation runs on this database; wait until it is done."
        ) from error
    connection.execute("reset lock_timeout")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(statements["end_turn"])
