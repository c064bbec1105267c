"""Every event that was acknowledged is in the grids exactly once, whatever was killed meanwhile.

And the test would notice otherwise: with the mark of batches that were seen taken out of the
script, the same run finds events that count twice.
"""

import shutil
from pathlib import Path

from tests.heat.run import KILLED, caught_up, compare, heat_demo, post
from tests.heat.truth import Crowd

EVENTS = 20_000
CHECKOUT = ("infra", "services", "pyproject.toml")
SEEN_CHECK = "if #duplicates > 0 then"


def test_each_event_counts_once_though_every_part_is_killed(tmp_path: Path) -> None:
    crowd = Crowd(seed=1, pages=5)
    with heat_demo(tmp_path) as demo:
        counts = post(demo, crowd, EVENTS, KILLED)
        caught_up(demo)
        found = compare(demo, crowd)

    assert (found.lost, found.doubled) == (0, 0), found.examples
    assert found.compared > EVENTS
    assert counts.copies > 0
    assert counts.broken + counts.not_now > 0
    assert crowd.truth.late


def test_without_the_mark_of_seen_batches_events_count_twice(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in CHECKOUT:
        copy = shutil.copytree if Path(name).is_dir() else shutil.copy
        copy(name, checkout / name)
    script = checkout / "services/heatmap/apply.lua"
    assert SEEN_CHECK in script.read_text()
    script.write_text(script.read_text().replace(SEEN_CHECK, "if false then"))
    crowd = Crowd(seed=2, pages=5)

    with heat_demo(tmp_path, checkout) as demo:
        post(demo, crowd, 5_000)
        caught_up(demo)
        found = compare(demo, crowd)

    assert found.doubled > 0
    assert found.lost == 0
