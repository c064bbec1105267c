"""`python -m services.heatmap.worker`: keeps the grids in Valkey up to what trackers have sent.

Any number of these processes share the topic's partitions. Each can be killed at any time: another
one, or the next, goes on where the results in Valkey end.
"""

import threading
from collections.abc import Callable

import redis
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError
from prometheus_client import CollectorRegistry
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.common import log
from services.common.consumer import Follower, group_consumer
from services.common.kafka import Topic, create_missing
from services.common.settings import Settings, load_settings
from services.common.worker import Work, run_worker
from services.heatmap.aggregator import Aggregator, DeadLetters
from services.heatmap.keys import Keys
from services.heatmap.topics import DEAD, EVENTS
from services.heatmap.worker_metrics import WorkerMetrics
from services.heatmap.writing import Grids

GROUP = "heatmap-grids"
RETRY_S = 0.5
VALKEY_TIMEOUT_S = 5.0
LETTER_TIMEOUT_S = 5


class DeadTopic:
    """The topic of dead letters; connected when there is a first one."""

    def __init__(self, bootstrap: str, topic: Topic) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._producer: KafkaProducer | None = None

    def send(self, letter: bytes) -> None:
        """Return when the letter is stored; KafkaTimeoutError when it can't be."""
        try:
            if self._producer is None:
                create_missing(self._bootstrap, [self._topic])
                self._producer = KafkaProducer(
                    bootstrap_servers=self._bootstrap, bootstrap_timeout_ms=LETTER_TIMEOUT_S * 1000
                )
            self._producer.send(self._topic.name, letter).get(timeout=LETTER_TIMEOUT_S)
        except KafkaError as error:
            raise KafkaTimeoutError(f"A letter could not be stored: {error}") from error

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=LETTER_TIMEOUT_S)


def client(url: str) -> redis.Redis:
    """A client that asks a second time at once and then leaves it to its caller to wait."""
    return redis.Redis.from_url(
        url,
        socket_timeout=VALKEY_TIMEOUT_S,
        socket_connect_timeout=VALKEY_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )


def working(
    aggregator: Aggregator,
    connect: Callable[[], KafkaConsumer],
    topic: str,
    grids: Grids,
    metrics: WorkerMetrics,
) -> Work:
    """The loop: follow the topic, and connect anew when Kafka has failed for good."""

    def missing(_: int, records: int) -> None:
        metrics.missing.inc(records)

    def follow(stopping: threading.Event) -> None:
        follower = Follower(connect(), topic, grids, missing)
        try:
            while not stopping.is_set():
                if not aggregator.step(follower):
                    stopping.wait(RETRY_S)
        finally:
            follower.close()

    def work(stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                follow(stopping)
            except KafkaError as error:
                aggregator.say(f"Kafka does not answer: {error}")
                stopping.wait(RETRY_S)

    return work


def build(
    settings: Settings,
    registry: CollectorRegistry,
    letters: DeadLetters,
    keys: Keys,
    *,
    topic: Topic = EVENTS,
    group: str = GROUP,
) -> tuple[Aggregator, Work]:
    """What moves `topic` into the grids of `keys`, and its loop."""
    grids, metrics = Grids(client(settings.valkey_url), keys), WorkerMetrics(registry)
    aggregator = Aggregator(grids, letters, metrics)

    def connect() -> KafkaConsumer:
        create_missing(settings.kafka_bootstrap, [topic])
        return group_consumer(settings.kafka_bootstrap, group)

    return aggregator, working(aggregator, connect, topic.name, grids, metrics)


def main() -> None:
    settings = load_settings()
    log.configure(settings.log_level, "heatmap worker")
    for name in ("kafka_bootstrap", "valkey_url"):
        if not getattr(settings, name):
            raise SystemExit(
                f"{name.upper()} is not set. Start everything with 'make demo', or give an address."
            )
    letters = DeadTopic(settings.kafka_bootstrap, DEAD)
    registry = CollectorRegistry()
    aggregator, work = build(settings, registry, letters, Keys())

    async def trouble() -> str | None:
        return aggregator.trouble

    run_worker(
        settings,
        settings.heatmap_worker_port,
        title="Worker of the heat map",
        description="Adds what trackers sent to the grids in Valkey, each batch exactly once.",
        work=work,
        checks={"grids": trouble},
        registry=registry,
    )
    letters.close()


if __name__ == "__main__":
    main()
