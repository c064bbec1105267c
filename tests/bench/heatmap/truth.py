"""Whether each acknowledged event counts once while everything is killed, a million events long."""

import tempfile
from pathlib import Path

from services.common.figures import Figure
from tests.heat.run import KILLED, caught_up, compare, heat_demo, post
from tests.heat.truth import Crowd

COMMAND = "make bench SERVICE=heatmap PARTS=truth"
EVENTS = 1_000_000
ROUNDS = 3


def measure() -> list[Figure]:
    """Values of the grids below and above the truth, and over how many events."""
    crowd = Crowd(seed=11, pages=20)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, heat_demo(Path(name)) as demo:
        counts = post(demo, crowd, EVENTS, KILLED * ROUNDS)
        caught_up(demo)
        found = compare(demo, crowd)
    for example in found.examples:
        print(f"  {example}")
    killed = f"{', '.join(KILLED)} killed {ROUNDS} times each"
    sent = (
        f"{counts.acknowledged:,} batches, {counts.copies:,} copies, "
        f"{counts.broken + counts.not_now:,} retries, {crowd.truth.late.total():,} late events"
    )
    compared = f"of {found.compared:,} values"
    return [
        Figure("heatmap.truth_lost", found.lost, "values", COMMAND, compared),
        Figure("heatmap.truth_doubled", found.doubled, "values", COMMAND, compared),
        Figure("heatmap.truth_events", crowd.truth.events, "events", COMMAND, f"{sent}; {killed}"),
    ]
