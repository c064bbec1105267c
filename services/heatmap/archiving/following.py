"""Keeps the archive going through the times when Kafka is away."""

import threading
from collections.abc import Callable
from pathlib import Path

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from services.common.log import get_logger
from services.heatmap.archiving.archiver import ArchiveMetrics, Archiver
from services.heatmap.archiving.files import ArchiveError

RETRY_S = 1.0


class Following:
    """Follows `topic` as long as it is called.

    connect: gives a consumer in the archive's group.
    trouble: why nothing is kept just now, as a sentence; None when all is well.
    """

    def __init__(
        self,
        connect: Callable[[], KafkaConsumer],
        topic: str,
        folder: Path,
        metrics: ArchiveMetrics,
    ) -> None:
        self.trouble: str | None = "The archive has not reached Kafka yet."
        self._connect = connect
        self._topic = topic
        self._folder = folder
        self._metrics = metrics

    def __call__(self, stopping: threading.Event) -> None:
        """Keep what comes until the event is set, and write what waits before it ends.

        ArchiveError or OSError when the archive can't go on.
        """
        while not stopping.is_set():
            try:
                self._until_kafka_is_away(stopping)
            except KafkaError as error:
                # What a callback of the consumer raised comes wrapped.
                if isinstance(error.__cause__, ArchiveError | OSError):
                    raise error.__cause__ from error
                self.trouble = f"Kafka does not answer: {error}."
                get_logger().warning("the archive waits", reason=str(error))
                stopping.wait(RETRY_S)

    def _until_kafka_is_away(self, stopping: threading.Event) -> None:
        consumer = self._connect()
        archiver = Archiver(consumer, self._folder, self._metrics)
        try:
            consumer.subscribe([self._topic], listener=archiver)
            while not stopping.is_set():
                archiver.step()
                self.trouble = None
        finally:
            archiver.close()
            consumer.close()
