"""Waiting for a condition, which is how tests wait here."""

import time
from collections.abc import Callable, Iterable

import psutil


def until(condition: Callable[[], object], deadline_s: float, every_s: float = 0.1) -> None:
    """Return as soon as `condition` is true; AssertionError when it is not within `deadline_s`."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, f"It did not become true within {deadline_s} s."
        time.sleep(every_s)


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; one that only waits to be collected has."""
    return [process for process in processes if process.is_running() and not is_zombie(process)]


def is_zombie(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
