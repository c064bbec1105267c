"""The settings of every system, read from the environment at the entry points only."""

from functools import cached_property
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One field per environment variable; README.md documents each, and a test compares the two."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    state_dir: Path = Field(
        default=Path("var"), description="folder of all data, logs and addresses"
    )
    cache_dir: Path = Field(
        default=Path("~/.cache/ml-system-design-lab"),
        description="folder of downloaded jars and data",
    )
    data_dir: Path | None = Field(
        default=None, description="folder of data sets that are already here"
    )

    host: str = Field(
        default="127.0.0.1",
        description="address that the pages listen on; the servers behind them keep to 127.0.0.1",
    )
    allowed_hosts: str = Field(
        default="localhost",
        description="names that the pages may be asked by, by commas; addresses always may",
    )
    front_port: int = Field(default=8000, description="port of the front page")
    recommender_port: int = Field(default=8001, description="port of the recommender")
    heatmap_port: int = Field(default=8002, description="port of the heat map and its collector")
    heatmap_worker_port: int = Field(
        default=8012, description="port of the heat map's worker: health and metrics"
    )
    heatmap_archive_port: int = Field(
        default=8022, description="port of the heat map's archive: health and metrics"
    )
    heatmap_visitors_port: int = Field(
        default=8032, description="port of the simulated visitors: health and metrics"
    )
    mlflow_port: int = Field(default=8005, description="port of MLflow")
    postgres_port: int = Field(default=15432, description="port of the embedded PostgreSQL")
    valkey_port: int = Field(default=16379, description="port of the embedded Valkey")
    kafka_port: int = Field(
        default=19092, description="port of the embedded Kafka; the next one too"
    )
    spark_ui_port: int = Field(default=8006, description="port of Spark's page while a job runs")

    postgres_url: str = Field(
        default="", description="PostgreSQL to use instead of the embedded one"
    )
    valkey_url: str = Field(default="", description="Valkey to use instead of the embedded one")
    kafka_bootstrap: str = Field(default="", description="Kafka to use instead of the embedded one")
    mlflow_tracking_uri: str = Field(
        default="", description="MLflow to use instead of the embedded one"
    )
    recommender_url: str = Field(
        default="", description="where the front page asks the recommender, if not at HOST"
    )
    heatmap_url: str = Field(
        default="", description="where other services ask the heat map, if not at HOST"
    )
    heatmap_worker_url: str = Field(
        default="", description="where the front page asks the heat map's worker, if not at HOST"
    )
    heatmap_archive_url: str = Field(
        default="", description="where the front page asks the heat map's archive, if not at HOST"
    )
    heatmap_visitors_url: str = Field(
        default="", description="where the front page asks the simulated visitors, if not at HOST"
    )
    spark_ui_url: str = Field(
        default="", description="where the front page asks for Spark's page, if not at HOST"
    )
    heatmap_sites: str = Field(
        default="demo,shop", description="sites whose trackers are heard, separated by commas"
    )
    heatmap_origins: str = Field(
        default="",
        description="origins of other hosts whose pages may show the heat map, by commas",
    )
    heatmap_staff_networks: str = Field(
        default="", description="networks of staff, such as 10.0.0.0/8, separated by commas"
    )
    collect_client_rate: int = Field(
        default=200, description="batches a second that a collector takes from one address"
    )
    tracker: bool = Field(
        default=False, description="whether the shop's pages carry the heat map's tracker"
    )
    spark_master: str = Field(default="local[2]", description="Spark master that jobs run on")
    spark_jars: Path | None = Field(
        default=None, description="folder of the jars that Spark jobs need"
    )
    spark_driver_host: str = Field(
        default="127.0.0.1", description="address executors call the driver on"
    )
    spark_driver_memory: str = Field(default="1g", description="heap of the Spark driver")

    results_dir: Path = Field(
        default=Path("results"), description="folder that measured figures are written to"
    )
    log_level: str = Field(default="INFO", description="least severe level that is logged")

    @property
    def reach_host(self) -> str:
        """Where this machine reaches its pages: one cannot connect to "every address"."""
        return "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104

    @cached_property
    def cache(self) -> Path:
        return self.cache_dir.expanduser()


def load_settings() -> Settings:
    """The settings of this process."""
    return Settings()
