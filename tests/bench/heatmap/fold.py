"""What it costs the worker, and Valkey, to add an event to the grids: 500 batches of 20 in a call.

From the records as Kafka gives them to Valkey's answer: decode, fold, pack, call. Kafka's client is
not part of it. CPU seconds of this process are read around each call, those of a Valkey that
nothing else uses around all of them.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psutil

from services.common.figures import Figure
from services.common.reading import Sender
from services.heatmap.calls import packed
from services.heatmap.events import HeatSchema, decode
from services.heatmap.folding import fold
from services.heatmap.keys import Keys
from services.heatmap.worker import client
from services.heatmap.writing import Applied, Grids
from tests.bench.heatmap.cost import FEW, MANY
from tests.heat.steady import EVENTS, steady_parcels
from tests.heat.truth import SITE, Parcel
from tests.servers import own_valkey

COMMAND = "make bench SERVICE=heatmap PARTS=fold"
BATCHES = 500
CALLS, WARM_UP = 60, 20
PACE_MS = 1
SEED = 29


@dataclass(frozen=True)
class Cost:
    """CPU seconds: of this process for each call, sorted, and of Valkey for all of them."""

    calls_s: list[float]
    valkey_s: float

    @property
    def per_cpu_s(self) -> float:
        return BATCHES * EVENTS / statistics.median(self.calls_s)

    @property
    def valkey_per_cpu_s(self) -> float:
        return BATCHES * EVENTS * len(self.calls_s) / self.valkey_s


def measure() -> list[Figure]:
    """Events per CPU second of the worker's part and of Valkey's."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, own_valkey(Path(folder)) as at:
        few, many = cost(at[1], FEW), cost(at[1], MANY)
    return [
        Figure(
            "heatmap.fold_events_per_cpu_s",
            round(few.per_cpu_s),
            "1/s",
            COMMAND,
            f"quartiles of {CALLS} calls {rates(few)} on {FEW} pages; {rates(many)} on {MANY:,}",
        ),
        Figure(
            "heatmap.store_events_per_cpu_s",
            round(few.valkey_per_cpu_s),
            "1/s",
            COMMAND,
            f"Valkey on {FEW} pages; {many.valkey_per_cpu_s:,.0f} on {MANY:,}, most of them new",
        ),
    ]


def cost(url: str, pages: int) -> Cost:
    """Add calls of batches that are spread over so many pages."""
    valkey = client(url)
    server = psutil.Process(valkey.info("server")["process_id"])
    grids = Grids(valkey, Keys(f"bench-{pages}"))
    epoch, calls_s, before_s = grids.claim(0).epoch, [], 0.0
    for number, values in enumerate(polls(pages)):
        if number == WARM_UP:
            before_s = valkey_s(server)
        began_s = time.process_time()
        add(grids, epoch, number * BATCHES, values)
        calls_s.append(time.process_time() - began_s)
    spent_s = valkey_s(server) - before_s
    valkey.close()
    return Cost(sorted(calls_s[WARM_UP:]), spent_s)


def add(grids: Grids, epoch: int, first: int, values: list[bytes]) -> None:
    """What the worker does with the records of a poll."""
    batches = [decode(value) for value in values]
    call = packed(grids.keys, batches, fold(batches), time.time_ns() // 1_000_000)
    outcome = grids.apply(0, epoch, first, first + len(values), call)
    assert isinstance(outcome, Applied), outcome


def polls(pages: int) -> Iterator[list[bytes]]:
    """The records of one call after the other, each received at an even pace until just now."""
    schema, chance = HeatSchema([SITE]), random.Random(SEED)
    parcels = steady_parcels((WARM_UP + CALLS) * BATCHES, pages, chance)
    while some := list(islice(parcels, BATCHES)):
        now_ms = time.time_ns() // 1_000_000
        yield [
            record(schema, parcel, now_ms - n * PACE_MS, chance.getrandbits(64))
            for n, parcel in zip(reversed(range(len(some))), some, strict=True)
        ]


def record(schema: HeatSchema, parcel: Parcel, received_ms: int, visitor: int) -> bytes:
    """What the collector makes of a batch that it received then."""
    value = schema.read(parcel.body(0), Sender(received_ms, False, False, lambda _: visitor)).value
    assert value is not None
    return value


def valkey_s(server: psutil.Process) -> float:
    return float(sum(server.cpu_times()[:2]))


def rates(cost: Cost) -> str:
    slow, _, fast = statistics.quantiles(cost.calls_s, n=4)
    return f"{BATCHES * EVENTS / fast:,.0f}..{BATCHES * EVENTS / slow:,.0f}"
