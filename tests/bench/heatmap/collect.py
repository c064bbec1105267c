"""What an event costs the collector in CPU, acknowledged by Kafka.

The collector is the demo's own process, with all its threads; the load comes from another one.
All that is not on the way into Kafka is held meanwhile, so that two cores are enough for both.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from services.common.figures import Figure
from tests.demo import Demo
from tests.heat.run import ARCHIVE, COLLECTOR, WORKER, ends, heat_demo, port
from tests.heat.steady import EVENTS

COMMAND = "make bench SERVICE=heatmap PARTS=collect"
OTHERS = (WORKER, ARCHIVE, "heatmap visitors")
BATCHES, WARM_UP = 10_000, 10_000
CONNECTIONS = 512
ROUNDS = 15


def measure() -> list[Figure]:
    """Events that a CPU second of the collector takes, in batches of 20."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        heat_demo(Path(name)) as demo,
        held(demo, OTHERS),
    ):
        fire(demo, WARM_UP)
        rates = [events_per_cpu_s(demo) for _ in range(ROUNDS)]
    spread = f"{min(rates):.0f}..{max(rates):.0f} in {ROUNDS} rounds, {CONNECTIONS} connections"
    rate = round(statistics.median(rates))
    return [Figure("heatmap.collect_events_per_cpu_s", rate, "1/s", COMMAND, spread)]


def events_per_cpu_s(demo: Demo) -> float:
    """A round as fast as it goes; every batch that was acknowledged must be in the topic."""
    collector = psutil.Process(demo.leader(COLLECTOR))
    stored = sum(ends(demo).values())
    began_s = cpu_s(collector)
    fire(demo, BATCHES)
    spent_s = cpu_s(collector) - began_s
    assert sum(ends(demo).values()) - stored == BATCHES
    return BATCHES * EVENTS / spent_s


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def fire(demo: Demo, batches: int) -> None:
    """Post batches from another process until all are acknowledged."""
    numbers = map(str, (port(demo, "HEATMAP_PORT"), batches, CONNECTIONS))
    subprocess.run((sys.executable, "-m", "tests.bench.heatmap.firing", *numbers), check=True)


@contextmanager
def held(demo: Demo, parts: Sequence[str]) -> Iterator[None]:
    """Stop processes in their tracks, and let them go on at the end."""
    processes = [demo.leader(part) for part in parts]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
