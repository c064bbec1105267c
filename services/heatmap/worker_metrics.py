"""What the worker counts: how much it moved, what was refused, and how far behind it is."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge


class WorkerMetrics:
    """What was folded, what was refused and why, and how far the grids are behind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"heatmap_worker_{name}_total", text, registry=registry)

        self.events = counter("events", "Events of batches that were added to the grids.")
        self.batches = counter("batches", "Batches that were added to the grids.")
        self.calls = counter("calls", "Calls that added batches.")
        self.late = counter("late", "Events that came too late for the grids.")
        self.duplicates = counter("duplicates", "Batches that had been added before.")
        self.replays = counter("replays", "Calls whose records had been added before.")
        self.gaps = counter("gaps", "Times a partition had to go back to where its results end.")
        self.fenced = counter("fenced", "Times another worker had taken a partition over.")
        self.poison = counter("poison", "Records that can't be counted, sent to the dead letters.")
        self.missing = counter("missing", "Records that Kafka dropped before they were counted.")
        self.merges = counter("merges", "Long tallies that were merged.")
        self.retries = counter("retries", "Times that Valkey or Kafka could not do their part.")
        self.behind = Gauge(
            "heatmap_worker_behind_records",
            "Records that are in Kafka and not yet in the grids.",
            ["partition"],
            registry=registry,
        )
        age = Gauge(
            "heatmap_worker_newest_applied_age_seconds",
            "How long ago the newest batch that is in the grids was received.",
            registry=registry,
        )
        self._newest_s = 0.0
        age.set_function(lambda: time.time() - self._newest_s if self._newest_s else 0.0)

    def applied(self, received_s: float) -> None:
        """Note that a batch that was received at this time is in the grids."""
        self._newest_s = max(self._newest_s, received_s)
