"""What training and evaluation share: their turn, their clock, failures told in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from mlflow.exceptions import MlflowException
from psycopg import Connection
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from services.common.settings import Settings
from services.common.spark import spark_folder
from services.common.tracking import TrackingError
from services.recommender.protocol import Split, split
from services.recommender.recipe import Recipe
from services.recommender.training.fitting import History
from services.recommender.training.publish import (
    JobError,
    Statements,
    forget_unpublished,
    taking_turns,
)
from services.recommender.training.trial import connect, drop_schema


@contextmanager
def job(settings: Settings, connection: Connection, statements: Statements) -> Iterator[None]:
    """The turn of one job; what killed ones left is deleted first, what it leaves afterwards."""
    with _plain_errors(settings), taking_turns(connection, statements):
        for (name,) in connection.execute(statements["left_over_schemas"]).fetchall():
            drop_schema(connection, name)
        forget_unpublished(connection, statements)
        try:
            yield
        finally:
            with suppress(psycopg.OperationalError):
                forget_unpublished(connection, statements)


def clock(
    postgres_url: str, schema: str, statements: Statements, recipe: Recipe
) -> tuple[Split, History]:
    """When to cut the orders of a schema for judging, and the history until their end."""
    with connect(postgres_url, schema) as connection:
        row = connection.execute(statements["newest_order"]).fetchone()
    if row is None or row[0] is None:
        raise JobError("There are no orders to learn from; run `make data` first.")
    first, newest = row
    at = split(newest, recipe.evaluation_days)
    return at, History(first, at.end)


@contextmanager
def _plain_errors(settings: Settings) -> Iterator[None]:
    try:
        yield
    except TrackingError as error:
        raise JobError(str(error)) from error
    except MlflowException as error:
        raise JobError(
            f"MLflow at {settings.mlflow_tracking_uri} (MLFLOW_TRACKING_URI) failed: {error}"
        ) from error
    except (PySparkException, Py4JError) as error:
        raise JobError(
            f"Spark on {settings.spark_master} (SPARK_MASTER) failed: {_cause(error)}; its log is "
            f"{spark_folder(settings) / 'spark.log'}."
        ) from error


def _cause(error: Exception) -> str:
    """The innermost cause in a Java stack trace, or the first line of any other message."""
    lines = str(error).splitlines() or [type(error).__name__]
    causes = [line for line in lines if line.startswith((": ", "Caused by: "))]
    return (causes or lines[:1])[-1].removeprefix("Caused by").lstrip(": ").rstrip(".")
