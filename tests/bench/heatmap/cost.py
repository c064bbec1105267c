"""Whether an event costs the same on ten pages and on ten thousand, and what memory a page takes.

The same batches of 20 events each, posted over few pages and over many in turns. CPU seconds are
read before a round and when the worker has applied all of it; the ratio is that of each pair of
neighbouring rounds. It is measured as events come, and with a worker that was away meanwhile and
finds a backlog: then it folds 500 batches at once, and batches of a few pages share their grids
while those of many pages do not.
"""

import asyncio
import os
import random
import signal
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from infra.stack.sessions import Ledger
from services.common.figures import Figure
from tests.demo import Demo
from tests.heat.posting import Poster
from tests.heat.run import COLLECTOR, WORKER, caught_up, heat_demo, port, store
from tests.heat.steady import EVENTS, steady_parcels
from tests.heat.truth import Parcel

COMMAND = "make bench SERVICE=heatmap PARTS=cost"
FEW, MANY = 10, 10_000
BATCHES, WARM_UP = 10_000, 2_000
ROUNDS = 5
PARTS = (COLLECTOR, WORKER, "valkey", "kafka")

Costs = dict[str, float]
"""CPU microseconds per event in each part."""


def measure() -> list[Figure]:
    """The ratios of costs per event, many pages to few, and the memory that a page takes."""
    chance = random.Random(17)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, heat_demo(Path(name)) as demo:
        with store(demo) as client:
            # Two hours of 5 s grids, which expire by themselves, come here within minutes.
            client.config_set("maxmemory", "2gb")
        for pages in (FEW, MANY):
            cost(demo, steady_parcels(WARM_UP, pages, chance))
        page_bytes = memory_of_pages(demo, chance) / MANY
        live = ratio("heatmap.cost_ratio_10k_to_10_pages", demo, chance, cost)
        backlog = ratio("heatmap.cost_ratio_backlog", demo, chance, cost_of_backlog)
    memory = Figure(
        "heatmap.memory_bytes_per_page", round(page_bytes), "B", COMMAND,
        f"Valkey's memory for {BATCHES // MANY * EVENTS} events on each of {MANY:,} pages",
    )  # fmt: skip
    return [live, backlog, memory]


def ratio(
    name: str,
    demo: Demo,
    chance: random.Random,
    measured: Callable[[Demo, Iterable[Parcel]], Costs],
) -> Figure:
    """The cost of an event on many pages in that of one on few, in rounds that take turns."""
    few: list[Costs] = []
    many: list[Costs] = []
    for _ in range(ROUNDS):
        few.append(measured(demo, steady_parcels(BATCHES, FEW, chance)))
        many.append(measured(demo, steady_parcels(BATCHES, MANY, chance)))
    ratios = sorted(sum(m.values()) / sum(f.values()) for f, m in zip(few, many, strict=True))
    shares = f"{MANY:,} pages: {shown(many)}; {FEW} pages: {shown(few)}"
    spread = f"{ratios[0]:.2f}..{ratios[-1]:.2f}; us of CPU an event, {shares}"
    return Figure(name, round(statistics.median(ratios), 2), "ratio", COMMAND, spread)


def cost(demo: Demo, parcels: Iterable[Parcel], sleeping: Sequence[int] = ()) -> Costs:
    """What an event of one round takes in each part, from the post to the store.

    sleeping: processes that sleep until all is posted.
    """
    waiting = list(parcels)
    before = {part: cpu_s(demo, part) for part in PARTS}
    poster = Poster("127.0.0.1", port(demo, "HEATMAP_PORT"), connections=32, again_share=0)
    for process in sleeping:
        os.kill(process, signal.SIGSTOP)
    try:
        asyncio.run(poster.send(iter(waiting)))
    finally:
        for process in sleeping:
            os.kill(process, signal.SIGCONT)
    caught_up(demo)
    events = len(waiting) * EVENTS
    return {part: (cpu_s(demo, part) - before[part]) / events * 1e6 for part in PARTS}


def cost_of_backlog(demo: Demo, parcels: Iterable[Parcel]) -> Costs:
    """The same with a worker that finds all of the round at once."""
    return cost(demo, parcels, sleeping=[demo.leader(WORKER)])


def memory_of_pages(demo: Demo, chance: random.Random) -> int:
    """By how much Valkey's data grow when a round of pages is new to it."""
    before = memory_bytes(demo)
    cost(demo, steady_parcels(BATCHES, MANY, chance, "/never-seen"))
    return memory_bytes(demo) - before


def cpu_s(demo: Demo, part: str) -> float:
    """CPU seconds of a part so far, ended children included."""
    members = Ledger(demo.state_dir / "sessions.json").processes(part)
    return sum(sum(member.cpu_times()[:4]) for member in members)


def memory_bytes(demo: Demo) -> int:
    with store(demo) as client:
        return int(client.info("memory")["used_memory_dataset"])


def shown(rounds: list[Costs]) -> str:
    """The median of each part."""
    medians = {part: statistics.median(costs[part] for costs in rounds) for part in PARTS}
    return ", ".join(f"{part} {median:.2f}" for part, median in medians.items())
