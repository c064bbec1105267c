"""`python -m services.heatmap.archive`: keeps every batch of the topic, for ever, as Parquet.

It follows the topic beside the worker. What the grids forget by their retention, and Kafka after a
day, stays here: files are added and merged, none is deleted by age. `services.heatmap.job` makes
the grids of any past period from them.
"""

from prometheus_client import CollectorRegistry

from services.common import log
from services.common.consumer import group_consumer
from services.common.settings import load_settings
from services.common.worker import run_worker
from services.heatmap.archiving.archiver import ArchiveMetrics
from services.heatmap.archiving.files import archive_folder
from services.heatmap.archiving.following import Following
from services.heatmap.topics import EVENTS

GROUP = "heatmap-archive"


def main() -> None:
    settings = load_settings()
    log.configure(settings.log_level, "heatmap archive")
    if not settings.kafka_bootstrap:
        raise SystemExit(
            "KAFKA_BOOTSTRAP is not set. Start everything with 'make demo', or give the address of "
            "a Kafka as host:port."
        )
    registry = CollectorRegistry()
    following = Following(
        lambda: group_consumer(settings.kafka_bootstrap, GROUP),
        EVENTS.name,
        archive_folder(settings.state_dir),
        ArchiveMetrics(registry),
    )

    async def trouble() -> str | None:
        return following.trouble

    run_worker(
        settings,
        settings.heatmap_archive_port,
        title="Archive of the heat map",
        description="Keeps every batch that trackers sent, as Parquet.",
        work=following,
        checks={"archive": trouble},
        registry=registry,
    )


if __name__ == "__main__":
    main()
