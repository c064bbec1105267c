"""What a collector counts, in numbers of its own that Prometheus reads when it asks.

prometheus_client's counters take a lock for each step; a collector would take five for a batch.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from services.common.access import BUCKETS_S
from services.common.reading import Reading


class CollectMetrics(Collector):
    """What was kept, what was rejected or refused and why, and how long Kafka took.

    All of it is counted in the thread of the event loop.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.opted_out = 0
        self.hot = 0
        self.rejected: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.waiting: Callable[[], int] = lambda: 0
        self._events = 0
        self._bytes = 0
        self._seconds = 0.0
        self._within = [0] * (len(BUCKETS_S) + 1)
        registry.register(self)

    def kept(self, reading: Reading, body_bytes: int, seconds: float) -> None:
        """Count a batch that Kafka has, `seconds` after its request came."""
        self._events += reading.events
        self._bytes += body_bytes
        self._seconds += seconds
        self._within[bisect_left(BUCKETS_S, seconds)] += 1
        if reading.rejected:
            self.rejected.update(r.event.partition("[")[0] for r in reading.rejected)

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield _counter("collect_events", "Events that Kafka has.", self._events)
        yield _counter("collect_body_bytes", "Bytes of bodies that Kafka has.", self._bytes)
        yield _counter("collect_opted_out", "Requests with Sec-GPC, not kept.", self.opted_out)
        yield _counter("collect_hot_batches", "Batches whose key was spread.", self.hot)
        yield _labelled("collect_rejected_events", "Invalid events.", "kind", self.rejected)
        yield _labelled("collect_refused", "Requests not kept.", "reason", self.refused)
        yield GaugeMetricFamily("collect_waiting", "Batches that wait for Kafka.", self.waiting())
        yield self._latency()

    def _latency(self) -> Metric:
        bounds = [*map(floatToGoString, BUCKETS_S), "+Inf"]
        return HistogramMetricFamily(
            "collect_ack_seconds",
            "Time from a batch's request to Kafka's acknowledgement.",
            buckets=list(zip(bounds, accumulate(self._within), strict=True)),
            sum_value=self._seconds,
        )


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value)


def _labelled(name: str, text: str, label: str, values: Counter[str]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
