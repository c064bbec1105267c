"""The processes of the stack by session: each part leads one, and none of it outlives its end."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

_GRACE_S = 20.0
_LOOK_EVERY_S = 0.02


class Ledger:
    """The file that says which sessions a supervisor started, for the next start to read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries: dict[str, list[float]] = self._read()

    def add(self, name: str, pid: int) -> None:
        """Note that `name` leads the session `pid` now."""
        self._entries[name] = [pid, psutil.Process(pid).create_time()]
        self._write()

    def leader(self, name: str) -> int:
        """The process that leads the session of `name`; KeyError when there is none."""
        return int(self._entries[name][0])

    def leaders(self) -> list[tuple[str, int]]:
        """Every name with the process that leads its session."""
        return [(name, int(pid)) for name, (pid, _) in self._entries.items()]

    def end(self, name: str, gentle: signal.Signals) -> bool:
        """End the session of `name`; say whether anything of it was running."""
        pid, created = self._entries[name]
        return end_session(int(pid), created, gentle)

    def clear(self) -> None:
        """Note that everything has ended."""
        self._entries = {}
        self._write()

    def end_leftovers(self) -> list[str]:
        """End what an earlier supervisor left running; give the names of what was found."""
        entries = self._entries.items()
        found = [name for name, (pid, created) in entries if end_session(int(pid), created)]
        self.clear()
        return found

    def _read(self) -> dict[str, list[float]]:
        if not self._file.exists():
            return {}
        entries: dict[str, list[float]] = json.loads(self._file.read_text())
        return entries

    def _write(self) -> None:
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._entries))
        temporary.replace(self._file)


def end_session(leader: int, created: float, gentle: signal.Signals = signal.SIGINT) -> bool:
    """End every process of the session that `leader` opened; say whether there was any.

    The leader is asked first and has 20 s to take its own down. A process older than `created` is
    a stranger that got the number later, and is left alone.
    """
    members = session(leader, created)
    leading = [process for process in members if process.pid == leader]
    for process in leading:
        _signal(process, gentle)
    _wait_until_gone(lambda: any(_belongs(process, leader, created) for process in leading))
    for process in session(leader, created):
        _signal(process, signal.SIGKILL)
    _wait_until_gone(lambda: bool(session(leader, created)))
    return bool(members)


def _wait_until_gone(there: Callable[[], bool]) -> None:
    # psutil's own wait would reap children that asyncio waits for.
    deadline_s = time.monotonic() + _GRACE_S
    while there() and time.monotonic() < deadline_s:
        time.sleep(_LOOK_EVERY_S)


def session(leader: int, created: float) -> list[psutil.Process]:
    """The living processes of a session, zombies left out."""
    return [process for process in psutil.process_iter() if _belongs(process, leader, created)]


def _belongs(process: psutil.Process, leader: int, created: float) -> bool:
    try:
        return (
            os.getsid(process.pid) == leader
            and process.create_time() >= created
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except (OSError, psutil.Error):
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
