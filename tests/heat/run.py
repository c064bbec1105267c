"""One run against a demo: the crowd posts while parts are killed, then grids and truth meet."""

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from kafka import KafkaConsumer, TopicPartition

from services.common.settings import Settings
from services.heatmap.archiving.files import archive_folder, positions
from tests.demo import DEMO, Demo, own_settings, running_demo
from tests.heat.posting import Counts, Poster, shuffled
from tests.heat.stored import Difference, differences, grids, late_events
from tests.heat.truth import SITE, Crowd
from tests.waiting import until

TOPIC = "heat-events"
COLLECTOR, WORKER, ARCHIVE = "heatmap", "heatmap worker", "heatmap archive"
KILLED = (COLLECTOR, WORKER, "valkey", "kafka")
CATCH_UP_S = 180
ONLY_HEATMAP = (*DEMO, "--only", "heatmap")


@contextmanager
def heat_demo(folder: Path, checkout: Path = Path()) -> Iterator[Demo]:
    """A demo of the heat map alone, for one site and without a limit for each address.

    The simulated visitors are visitors of another site, so nothing but the crowd is counted.
    """
    settings = own_settings((folder / "var").resolve())
    settings |= {"COLLECT_CLIENT_RATE": "1000000", "HEATMAP_SITES": SITE}
    with running_demo(settings, folder / "demo.log", ONLY_HEATMAP, checkout) as demo:
        body = json.dumps({"per_minute": 0}).encode()
        quiet = urllib.request.Request(
            f"{demo.url('HEATMAP_PORT')}/v1/visitors",
            body,
            {"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(quiet, timeout=10).close()
        yield demo


@dataclass
class Killer:
    """Kills parts with -9, one after the other, at even steps of the way."""

    demo: Demo
    parts: Sequence[str]
    batches: int
    killed: list[str] = field(default_factory=list)

    def __call__(self, counts: Counts) -> None:
        """Kill the next part if it is its time; one that is just down is killed when it is back."""
        due = counts.acknowledged * (len(self.parts) + 1) // self.batches
        if len(self.killed) < min(due, len(self.parts)):
            part = self.parts[len(self.killed)]
            try:
                self.demo.kill(part)
            except ProcessLookupError:
                return
            self.killed.append(part)


def post(demo: Demo, crowd: Crowd, events: int, kills: Sequence[str] = (), seed: int = 1) -> Counts:
    """Post so many events, killing these parts meanwhile, until all are acknowledged."""
    poster = Poster("127.0.0.1", port(demo, "HEATMAP_PORT"), seed=seed)
    killer = Killer(demo, kills, events // 22)
    asyncio.run(poster.send(shuffled(crowd.parcels(events), seed), killer))
    assert killer.killed == list(kills), f"Only {killer.killed} were killed."
    return poster.counts


def port(demo: Demo, setting: str) -> int:
    return int(demo.settings.get(setting, Settings.model_fields[setting.lower()].default))


def store(demo: Demo) -> redis.Redis:
    return redis.Redis.from_url(demo.environment()["VALKEY_URL"])


def ends(demo: Demo) -> dict[int, int]:
    """Where each partition of the topic ends."""
    consumer = KafkaConsumer(bootstrap_servers=demo.environment()["KAFKA_BOOTSTRAP"])
    partitions = [TopicPartition(TOPIC, n) for n in consumer.partitions_for_topic(TOPIC) or ()]
    found = consumer.end_offsets(partitions)
    consumer.close()
    return {partition.partition: end for partition, end in found.items()}


def caught_up(demo: Demo) -> None:
    """Wait until the worker has applied all that the topic has."""
    expected = ends(demo)
    with store(demo) as client:

        def applied() -> bool:
            try:
                found = {n: int(client.hget(f"heat:partition:{n}", "next") or 0) for n in expected}
            except redis.ConnectionError:
                return False
            return found == expected

        until(applied, CATCH_UP_S)


def archived(demo: Demo) -> None:
    """Wait until the archive has all of the topic, and have it write what it holds."""
    expected = {number: end for number, end in ends(demo).items() if end}
    folder = archive_folder(demo.state_dir)
    total = sum(expected.values())
    until(lambda: _waiting(demo) + sum(positions(folder).values()) == total, CATCH_UP_S)
    # It writes before it ends, and the supervisor starts it again.
    os.kill(demo.leader(ARCHIVE), signal.SIGTERM)
    until(lambda: positions(folder) == expected, CATCH_UP_S)


def _waiting(demo: Demo) -> int:
    """How many batches the archive has read and not written; -1 when it does not answer."""
    try:
        with urllib.request.urlopen(f"{demo.url('HEATMAP_ARCHIVE_PORT')}/metrics") as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return -1
    (value,) = (line.split()[1] for line in lines if line.startswith("heatmap_archive_waiting "))
    return int(float(value))


def compare(demo: Demo, crowd: Crowd) -> Difference:
    """The truth against all that the store shows of the crowd's pages."""
    with store(demo) as client:
        found = grids(client, f"*|{crowd.folder}*")
        return differences(crowd.truth, found, late_events(client, crowd.truth))
