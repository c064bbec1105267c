"""The collector in front of the real Kafka: what it acknowledges is there, whatever is killed."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.demo import Demo, free_ports
from tests.numbers import PATH
from tests.waiting import until

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
READY_S = 60
RECOVERY_S = 120
READ_MS = 30_000
PAUSE_S = 0.1


@dataclass(frozen=True)
class Place:
    """A collector that runs, and the topics that it writes."""

    port: int
    topic: str
    bootstrap: str
    client: httpx2.Client

    def post(self, body: str | bytes) -> httpx2.Response:
        return self.client.post(PATH, content=body)

    def records(self, topic: str = "") -> list[bytes]:
        """Every value that the topic has now."""
        topic = topic or self.topic
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap)
        numbers = consumer.partitions_for_topic(topic) or ()
        partitions = [TopicPartition(topic, number) for number in numbers]
        left = sum(consumer.end_offsets(partitions).values())
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        values: list[bytes] = []
        while len(values) < left:
            polled = consumer.poll(READ_MS)
            assert polled, f"{left - len(values)} records of {topic} can't be read."
            values += [record.value for records in polled.values() for record in records]
        consumer.close()
        return values

    def stored(self) -> list[int]:
        return [number for value in self.records() for number in json.loads(value)["kept"]]


@pytest.fixture
def place(stack: Demo, tmp_path: Path) -> Iterator[Place]:
    """A collector in a process of its own, on topics of its own."""
    bootstrap = stack.environment()["KAFKA_BOOTSTRAP"]
    topic = f"numbers-{uuid.uuid4().hex[:12]}"
    [port] = free_ports(1)
    command = (sys.executable, "-m", "tests.numbers", bootstrap, topic, str(port))
    with (tmp_path / "numbers.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    with httpx2.Client(base_url=url, timeout=30, headers={"User-Agent": CHROME}) as client:
        until(lambda: is_ready(client), READY_S)
        yield Place(port, topic, bootstrap, client)
    process.terminate()
    process.wait(30)


def is_ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


@dataclass
class Insistent:
    """Posts numbers, one at a time and each again until it is acknowledged."""

    place: Place
    first: int
    acknowledged: list[int] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = self.first
        with httpx2.Client(base_url=self.place.client.base_url, timeout=60) as client:
            while not self.over.is_set():
                began_s = time.monotonic()
                answer = client.post(PATH, content=f"[{number}]")
                if answer.status_code == 200:
                    self.acknowledged.append(number)
                    number += 1
                else:
                    assert answer.status_code == 503, answer.text
                    assert int(answer.headers["Retry-After"]) >= 1
                    self.refused_s.append(time.monotonic() - began_s)
                    self.over.wait(PAUSE_S)


def test_what_is_acknowledged_can_be_read_in_kafka(place: Place) -> None:
    answer = place.post("[1, 2, 3]")

    assert answer.status_code == 200
    assert place.stored() == [1, 2, 3]


def test_valid_events_go_through_and_the_others_are_dead_letters(place: Place) -> None:
    assert place.post("[1, -2]").status_code == 200
    assert place.post("{").status_code == 422

    letters = [json.loads(value) for value in place.records(f"{place.topic}-dead")]
    reasons = {rejected["reason"] for letter in letters for rejected in letter["rejected"]}
    assert place.stored() == [1]
    assert reasons == {"It is below 0.", "The body is not JSON."}


def test_kill_9_of_kafka_is_answered_by_not_now_and_loses_nothing(
    place: Place, stack: Demo
) -> None:
    senders = [Insistent(place, first=n * 1_000_000) for n in range(4)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    until(lambda: all(len(sender.acknowledged) > 20 for sender in senders), RECOVERY_S)

    stack.kill("kafka")
    until(lambda: all(sender.refused_s for sender in senders), RECOVERY_S)
    before = [len(sender.acknowledged) for sender in senders]
    until(
        lambda: all(len(s.acknowledged) > n + 20 for s, n in zip(senders, before, strict=True)),
        RECOVERY_S,
    )
    for sender in senders:
        sender.over.set()
    for thread in threads:
        thread.join(60)

    acknowledged = {number for sender in senders for number in sender.acknowledged}
    assert acknowledged <= set(place.stored())


def test_a_body_in_chunks_is_taken_until_it_is_too_large(place: Place) -> None:
    assert place.client.post(PATH, content=iter([b"[7", b",8]"])).status_code == 200
    assert place.client.post(PATH, content=iter([b" " * 10_000] * 10)).status_code == 413
    assert place.stored() == [7, 8]


def test_what_comes_after_too_large_a_body_is_answered(place: Place) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=30)
    connection.request("POST", PATH, b" " * 200_000)
    refused = connection.getresponse()
    assert (refused.status, refused.read() != b"") == (413, True)

    connection.request("POST", PATH, b"[9]")

    assert connection.getresponse().status == 200
    connection.close()


def test_a_sender_who_hangs_up_leaves_the_collector_well(place: Place) -> None:
    with socket.create_connection(("127.0.0.1", place.port)) as hasty:
        hasty.sendall(b"POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n[1")

    assert place.post("[5]").status_code == 200
    assert place.stored() == [5]
