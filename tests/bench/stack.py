"""`make bench SERVICE=stack`: first start, second start and memory, as a person would see them.

A fresh clone of the last commit in an empty folder, with empty caches; only DATA_DIR is taken over.
"""

import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import psutil

from infra.stack.sessions import Ledger
from services.common.figures import Figure, record
from services.common.settings import load_settings
from tests.demo import own_settings, running_demo

COMMAND = "make bench SERVICE=stack"
SECOND_STARTS = 3


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        clone, settings, output = folder / "clone", fresh_settings(folder), folder / "demo.log"
        subprocess.run(["git", "clone", "--quiet", ".", clone], check=True)
        state_dir, on_the_way_mb = clone / settings["STATE_DIR"], [0.0]

        def sample() -> None:
            on_the_way_mb.append(stack_memory_mb(state_dir))

        make_demo = ("make", "demo")
        with running_demo(settings, output, make_demo, clone, while_waiting=sample) as first:
            print(output.read_text(), flush=True)
        seconds, memory_mb = [], []
        for _ in range(SECOND_STARTS):
            with running_demo(settings, output, make_demo, clone) as again:
                print(output.read_text(), flush=True)
                seconds.append(again.seconds_to_ready)
                memory_mb.append(stack_memory_mb(state_dir))
    report(first.seconds_to_ready, max(on_the_way_mb), seconds, memory_mb)


def fresh_settings(folder: Path) -> dict[str, str]:
    """Settings with empty caches; only DATA_DIR is taken over, as this machine may be offline."""
    settings = own_settings(Path("var"))
    settings |= {"CACHE_DIR": str(folder / "cache"), "UV_CACHE_DIR": str(folder / "uv")}
    if data_dir := settings.get("DATA_DIR"):
        settings["DATA_DIR"] = str(Path(data_dir).resolve())
    return settings


def stack_memory_mb(state_dir: Path) -> float:
    """The memory of everything the stack runs: shared pages are shared out (PSS)."""
    members = Ledger(state_dir / "sessions.json").processes()
    return sum(memory_bytes(member) for member in members) / 1e6


def memory_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def report(
    first_s: float, on_the_way_mb: float, seconds: list[float], memory_mb: list[float]
) -> None:
    spread = f"{min(seconds):.1f}..{max(seconds):.1f}"
    figures = (
        Figure("recommender.first_start_s", round(first_s, 1), "s", COMMAND),
        Figure("stack.second_start_s", round(statistics.median(seconds), 1), "s", COMMAND, spread),
        Figure("stack.memory_mb", round(max(memory_mb)), "MB", COMMAND,
               f"{min(memory_mb):.0f}..{max(memory_mb):.0f}"),
        Figure("stack.first_start_memory_mb", round(on_the_way_mb), "MB", COMMAND),
    )  # fmt: skip
    for figure in figures:
        print(f"{figure.name:<32} {figure.value:>10} {figure.unit}  {figure.spread or ''}")
    record(load_settings().results_dir, *figures)


if __name__ == "__main__":
    if shutil.which("git") is None:
        raise SystemExit("The bench clones this checkout and needs git: install it.")
    main()
