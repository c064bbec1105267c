"""Publishes rebuilt grids as Parquet: a folder appears whole, under a name of its own.

    grids/{from}--{to}/{time of the run}/*.parquet

The newest run of a period is the one that counts; the ones before are deleted after it is there.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.heatmap.rebuilding.reading import Period

_STAGED = "_staged-"


def grids_folder(state_dir: Path) -> Path:
    """Where rebuilt grids lie in the folder of all data."""
    return state_dir / "heatmap" / "grids"


@contextmanager
def published(folder: Path, period: Period, now: datetime) -> Iterator[Path]:
    """A folder to write into; at the end of the block it gets the name that readers look for."""
    home = folder / f"{_stamp(period.from_ms)}--{_stamp(period.to_ms)}"
    home.mkdir(parents=True, exist_ok=True)
    before = list(home.iterdir())
    name = f"{now:%Y%m%dT%H%M%S.%fZ}"
    staged = home / f"{_STAGED}{name}"
    try:
        yield staged
        staged.rename(home / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    for old in before:
        shutil.rmtree(old, ignore_errors=True)


def newest(folder: Path, period: Period) -> Path | None:
    """The published grids of a period; None when it was never rebuilt."""
    home = folder / f"{_stamp(period.from_ms)}--{_stamp(period.to_ms)}"
    runs = sorted(path for path in home.glob("*") if not path.name.startswith(_STAGED))
    return runs[-1] if runs else None


def _stamp(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y%m%dT%H%M%SZ}"
