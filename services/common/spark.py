"""A Spark session made from the settings, for the jobs of every service."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from services.common.phases import Phases
from services.common.settings import Settings

# Enough for the small clusters that this runs on; adaptive execution merges those that stay small.
PARTITIONS = 8


def spark_folder(settings: Settings) -> Path:
    """The one folder that Spark jobs write to on this machine."""
    folder = (settings.state_dir / "spark").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def spark_session(settings: Settings, name: str, phases: Phases) -> Iterator[SparkSession]:
    """A session on `settings.spark_master` that ends with the block.

    What the JVM says goes to `spark.log` in the folder of Spark, not to the terminal.
    """
    folder = spark_folder(settings)
    builder = SparkSession.Builder().appName(name).master(settings.spark_master)
    for key, value in configuration(settings, folder).items():
        builder = builder.config(key, value)
    with phases("starting Spark"), _stderr_to(folder / "spark.log"):
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def configuration(settings: Settings, folder: Path) -> dict[str, str]:
    """Spark's options from ours; everything that is written stays in `folder`."""
    jars = sorted(settings.spark_jars.glob("*.jar")) if settings.spark_jars else []
    return {
        "spark.driver.memory": settings.spark_driver_memory,
        # On two cores the serial collector takes a fifth less time than the default one.
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC",
        "spark.executor.extraJavaOptions": "-XX:+UseSerialGC",
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
    """Let a process that starts inside the block inherit a file as its standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    with file.open("w") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
