"""The processes of the stack by session: each part leads one, and none of it outlives its end.

A session is known by its leader's number and start. Both come from the kernel's own count of time
since boot where there is one, so that neither a reboot nor a change of the clock can make a
stranger's process look like ours.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

_GRACE_S = 20.0
_LOOK_EVERY_S = 0.02
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_START_FIELD = 19  # of /proc/PID/stat, counted after the command's closing bracket


class Ledger:
    """The file that says which sessions a supervisor started, for the next start to read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries: dict[str, tuple[int, float]] = self._read()

    def add(self, name: str, pid: int) -> None:
        """Note that `name` leads the session `pid` now."""
        self._entries[name] = (pid, started(pid) or 0.0)
        self._write()

    def remove(self, name: str) -> None:
        """Note that the session of `name` has ended by itself."""
        self._entries.pop(name, None)
        self._write()

    def leader(self, name: str) -> int:
        """The process that leads the session of `name`; KeyError when there is none."""
        return self._entries[name][0]

    def processes(self, *names: str) -> list[psutil.Process]:
        """Everything that runs in the sessions of `names`, or in all of them."""
        chosen = [self._entries[name] for name in names or self._entries]
        return [member for pid, start in chosen for member in session(pid, start)]

    def end(self, name: str, gentle: signal.Signals) -> bool:
        """End the session of `name`; say whether anything of it was running."""
        pid, start = self._entries[name]
        return end_session(pid, start, gentle)

    def end_leftovers(self) -> list[str]:
        """End what is still running of all sessions and forget them; give the names found."""
        entries = self._entries.items()
        found = [name for name, (pid, start) in entries if end_session(pid, start)]
        self._entries = {}
        self._write()
        return found

    def _read(self) -> dict[str, tuple[int, float]]:
        if not self._file.exists():
            return {}
        kept = json.loads(self._file.read_text())
        if kept["boot"] != _boot():
            return {}
        return {name: (pid, start) for name, (pid, start) in kept["sessions"].items()}

    def _write(self) -> None:
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(json.dumps({"boot": _boot(), "sessions": self._entries}))
        temporary.replace(self._file)


def end_session(leader: int, start: float, gentle: signal.Signals = signal.SIGINT) -> bool:
    """End every process of the session that `leader` opened; say whether there was any.

    The leader is asked first and has 20 s to take its own down.
    """
    members = session(leader, start)
    for process in members:
        if process.pid == leader:
            _signal(process, gentle)
    _wait_until_gone(lambda: any(member.pid == leader for member in session(leader, start)))
    for process in session(leader, start):
        _signal(process, signal.SIGKILL)
    _wait_until_gone(lambda: bool(session(leader, start)))
    return bool(members)


def session(leader: int, start: float) -> list[psutil.Process]:
    """The living processes of a session, zombies left out.

    A number that leads another process by now means that the session is gone: the kernel does not
    give it away before.
    """
    now_leading = started(leader)
    if now_leading is not None and now_leading != start:
        return []
    return [process for process in psutil.process_iter() if _belongs(process, leader)]


def started(pid: int) -> float | None:
    """When a process started, in ticks since boot (seconds where there are none); None if gone."""
    try:
        if _BOOT_ID.exists():
            stat = Path(f"/proc/{pid}/stat").read_text()
            return float(stat.rpartition(")")[2].split()[_START_FIELD])
        return psutil.Process(pid).create_time()
    except (OSError, psutil.Error):
        return None


def _boot() -> str:
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""


def _belongs(process: psutil.Process, leader: int) -> bool:
    try:
        in_session = os.getsid(process.pid) == leader
        return in_session and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, psutil.Error):
        return False


def _wait_until_gone(there: Callable[[], bool]) -> None:
    # psutil's own wait would reap children that asyncio waits for.
    deadline_s = time.monotonic() + _GRACE_S
    while there() and time.monotonic() < deadline_s:
        time.sleep(_LOOK_EVERY_S)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
