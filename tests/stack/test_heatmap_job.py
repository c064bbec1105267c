"""The Spark job makes the same grids from the archive that the worker made from the topic."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from services.heatmap.rebuilding.publishing import grids_folder
from tests.demo import Demo
from tests.heat.run import ARCHIVE, archived, caught_up, compare, heat_demo, post, store
from tests.heat.stored import Grid, grids
from tests.heat.truth import Crowd

EVENTS = 5_000
DEADLINE_S = 300


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with heat_demo(tmp_path_factory.mktemp("heat")) as demo:
        yield demo


def rebuild(demo: Demo, *options: str) -> str:
    """Run the job over yesterday, today and tomorrow."""
    today = datetime.now(UTC).date()
    period = ("--from", f"{today - timedelta(1)}", "--to", f"{today + timedelta(2)}")
    done = subprocess.run(
        [sys.executable, "-m", "services.heatmap.job", *period, *options],
        env={**os.environ, **demo.environment()},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rebuilt(state_dir: Path) -> dict[str, Grid]:
    """The grids that the job published, by the key that the store has them under."""
    (run,) = (path for path in grids_folder(state_dir).glob("*/*") if path.is_dir())
    found: dict[str, Grid] = {}
    for row in pq.read_table(run).to_pylist():
        variant = "|".join(row[name] for name in ("site", "class", "audience", "version", "page"))
        place = (row["layer"], row["cell"], row["element"], row["sub"])
        found.setdefault(f"heat:g:{row['level']}:{row['bucket']}:{variant}", {})[place] = row[
            "value"
        ]
    return found


def everything(demo: Demo) -> dict[str, object]:
    """All that the store knows of the past: grids, lists, counters and marks."""
    with store(demo) as client:
        named = {name: client.type(name) for name in client.scan_iter("heat:*")}
        read = {b"set": client.smembers, b"hash": client.hgetall, b"string": client.get}
        kept = ("heat:variants:", "heat:elements:", "heat:late:", "heat:seen:")
        lists = {
            name.decode(): read[kind](name)
            for name, kind in named.items()
            if name.decode().startswith(kept)
        }
        pages = {"heat:pages:truth": client.zrange("heat:pages:truth", 0, -1, withscores=True)}
        return {**grids(client), **lists, **pages}


def test_the_job_makes_the_workers_grids_and_gives_them_back_to_an_empty_store(
    demo: Demo,
) -> None:
    crowd = Crowd(seed=3, pages=4)
    counts = post(demo, crowd, EVENTS, (ARCHIVE, ARCHIVE))
    caught_up(demo)
    archived(demo)
    with store(demo) as client:
        live = grids(client)
    before = everything(demo)

    rebuild(demo)

    assert rebuilt(demo.state_dir) == live
    assert counts.copies > 0
    assert crowd.truth.late

    with store(demo) as client:
        client.flushdb()
    rebuild(demo, "--into-store")
    assert everything(demo) == before

    rebuild(demo, "--into-store")
    assert everything(demo) == before

    post(demo, crowd, 2 * EVENTS, seed=2)
    caught_up(demo)
    found = compare(demo, crowd)
    assert (found.lost, found.doubled) == (0, 0), found.examples
