"""The worker as a process, with a Kafka and a Valkey that tests kill: every batch counts once."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from services.common.kafka import create_missing
from services.heatmap import store
from services.heatmap.events import encode
from services.heatmap.grid import LEVEL_MS, Layer, Variant, key
from services.heatmap.keys import Keys
from services.heatmap.topics import DEAD, EVENTS, TOPICS
from services.heatmap.worker import client
from tests.demo import free_ports
from tests.servers import Server, own_kafka, own_valkey
from tests.unit.heatmap.naive import batch
from tests.waiting import until

KEYS = Keys()
MOVED = key(Layer.MOVE, 0)
CAUGHT_UP_S = 120
STOP_S = 60
COMMAND = (sys.executable, "-m", "services.heatmap.worker")
_views = itertools.count(1)


@dataclass
class Worker:
    """A worker that runs, and where it answers."""

    process: "subprocess.Popen[bytes]"
    url: str

    def ready(self) -> httpx2.Response | None:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=5)
        except httpx2.TransportError:
            return None

    def is_ready(self) -> bool:
        answer = self.ready()
        return answer is not None and answer.status_code == 200

    def metric(self, name: str) -> float:
        text = httpx2.get(f"{self.url}/metrics", timeout=5).text
        lines = [line.rsplit(" ", 1) for line in text.splitlines()]
        return sum(float(value) for series, value in lines if series.startswith(name))


@dataclass
class Room:
    """The two servers, and what is posted and counted between them."""

    kafka: Server
    valkey: Server
    bootstrap: str
    url: str
    folder: Path
    client: redis.Redis
    posted: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        port = free_ports(1)[0]
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "VALKEY_URL": self.url,
            "HEATMAP_WORKER_PORT": str(port),
        }
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(COMMAND, env=environment, stdout=log, stderr=log)
        worker = Worker(process, f"http://127.0.0.1:{port}")
        try:
            until(worker.is_ready, CAUGHT_UP_S)
            yield worker
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            finally:
                process.kill()

    def send(self, page: str, *values: bytes) -> None:
        """Put records into the topic; Kafka has them when this returns."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap)
        for future in [producer.send(EVENTS.name, v, key=page.encode()) for v in values]:
            future.get(timeout=60)
        producer.close()

    def post(self, page: str, count: int = 1, **fields: Any) -> list[bytes]:
        """New batches of one move each, in the topic and expected in the grids."""
        now_ms = int(time.time() * 1000)
        known: dict[str, Any] = {"page": page, "origin_ms": now_ms, "received_ms": now_ms}
        known |= {"move": [(0, 0, 0)], **fields}
        made = [encode(batch(view_id=next(_views), **known)) for _ in range(count)]
        self.send(page, *made)
        self.posted[page] = self.posted.get(page, 0) + count
        return made

    def counted(self, page: str) -> int:
        today = int(time.time() * 1000) // LEVEL_MS["1d"]
        asked = store.tallies(
            KEYS, {"1d": [today - 1, today]}, [Variant("demo", "l", "human", "a", page)]
        )
        found: dict[int, int] = dict(store.ask(self.client, asked).tolist())
        return found.get(MOVED, 0)

    def all_counted(self, page: str) -> bool:
        try:
            return self.counted(page) >= self.posted[page]
        except redis.ConnectionError:
            return False

    def settle(self, page: str) -> None:
        """Wait until all that was posted counts, and hold it to counting once."""
        until(lambda: self.all_counted(page), CAUGHT_UP_S)
        assert self.counted(page) == self.posted[page]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("worker")
    with own_kafka(folder) as (kafka, bootstrap), own_valkey(folder) as (valkey, url):
        create_missing(bootstrap, TOPICS)
        connected = client(url)
        yield Room(kafka, valkey, bootstrap, url, folder, connected)
        connected.close()


def test_what_is_in_the_topic_counts_once_also_after_a_restart(room: Room) -> None:
    room.post("/before", 20)
    with room.worker():
        room.settle("/before")
    room.post("/before", 5)
    with room.worker():
        room.settle("/before")


def test_a_retry_of_a_batch_counts_once(room: Room) -> None:
    with room.worker() as worker:
        made = room.post("/retried", 3)
        room.send("/retried", *made)
        room.post("/retried")
        until(lambda: worker.metric("heatmap_worker_duplicates_total") == 3, CAUGHT_UP_S)
        room.settle("/retried")


def test_a_record_that_is_no_batch_becomes_a_letter_and_the_others_count(room: Room) -> None:
    with room.worker() as worker:
        room.post("/poison", 2)
        room.send("/poison", b"no batch")
        room.post("/poison", 2, view_class="l")
        room.settle("/poison")
        assert worker.metric("heatmap_worker_poison_total") == 1
    (letter,) = letters(room.bootstrap)
    assert letter["rejected"][0]["event"] == "record"
    assert letter["rejected"][0]["reason"]


def test_it_goes_on_after_valkey_was_killed(room: Room) -> None:
    with room.worker() as worker:
        room.post("/valkey", 50)
        room.valkey.kill()
        room.post("/valkey", 50)
        until(lambda: not worker.is_ready(), CAUGHT_UP_S)
        room.valkey.start()
        room.settle("/valkey")
        until(worker.is_ready, CAUGHT_UP_S)


def test_what_valkey_lost_counts_again_out_of_the_topic(room: Room) -> None:
    with room.worker() as worker:
        room.post("/lost", 10)
        room.settle("/lost")
        room.client.flushall()
        room.settle("/lost")
        assert worker.is_ready()


def test_it_waits_for_room_in_valkey_and_says_so(room: Room) -> None:
    with room.worker() as worker:
        room.client.config_set("maxmemory", "1mb")
        room.post("/full", 5)
        until(lambda: not worker.is_ready(), CAUGHT_UP_S)
        answer = worker.ready()
        assert answer is not None
        assert "maxmemory" in answer.json()["detail"]
        assert room.counted("/full") == 0
        room.client.config_set("maxmemory", "256mb")
        room.settle("/full")


def test_it_goes_on_after_kafka_was_killed(room: Room) -> None:
    with room.worker():
        room.post("/kafka", 20)
        room.settle("/kafka")
        room.kafka.kill()
        room.kafka.start()
        room.post("/kafka", 20)
        room.settle("/kafka")


def test_another_worker_goes_on_after_one_was_killed(room: Room) -> None:
    with room.worker(), room.worker() as other:
        room.post("/two", 30)
        room.settle("/two")
        other.process.kill()
        room.post("/two", 30)
        room.settle("/two")


def test_a_worker_that_stood_still_is_fenced_and_comes_back(room: Room) -> None:
    with room.worker() as worker:
        room.post("/zombie", 5)
        room.settle("/zombie")

        def fenced() -> bool:
            for number in range(EVENTS.partitions):
                room.client.hincrby(KEYS.partition(number), "epoch", 1)
            room.post("/zombie", 5)
            room.settle("/zombie")
            return worker.metric("heatmap_worker_fenced_total") >= 1

        until(fenced, CAUGHT_UP_S)


def test_it_ends_when_told_to(room: Room) -> None:
    with room.worker() as worker:
        worker.process.terminate()
        assert worker.process.wait(STOP_S) in {0, -signal.SIGTERM}


def letters(bootstrap: str) -> list[dict[str, Any]]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    partitions = [TopicPartition(DEAD.name, n) for n in range(DEAD.partitions)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    polled = consumer.poll(timeout_ms=30_000)
    consumer.close()
    return [json.loads(record.value) for records in polled.values() for record in records]
