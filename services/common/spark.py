"""A Spark session made from the settings, for every job of every service."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict
from pyspark.sql import DataFrame, DataFrameReader, SparkSession

from services.common.settings import Settings

PARTITIONS = 8
_DRIVER = "org.postgresql.Driver"


@contextmanager
def spark_session(settings: Settings, name: str) -> Iterator[SparkSession]:
    """A session on `settings.spark_master` that ends with the block.

    Whatever Spark writes stays in `STATE_DIR/spark`; what the JVM says goes to `spark.log` there.
    """
    folder = (settings.state_dir / "spark").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.Builder().appName(name).master(settings.spark_master)
    for key, value in _configuration(settings, folder).items():
        builder = builder.config(key, value)
    with _stderr_to(folder / "spark.log"):
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def _configuration(settings: Settings, folder: Path) -> dict[str, str]:
    jars = sorted(settings.spark_jars.glob("*.jar")) if settings.spark_jars else []
    return {
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.driver.host": settings.spark_driver_host,
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(PARTITIONS),
        "spark.ui.port": str(settings.spark_ui_port),
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }


@contextmanager
def _stderr_to(file: Path) -> Iterator[None]:
    """Let a process started inside the block inherit a file as its standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    with file.open("w") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
