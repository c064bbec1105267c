"""What must hold on this machine before anything is started."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from infra.stack.errors import StackError
from infra.stack.part import LOOPBACK, Part

_FREE_DISK_BYTES = 1_000_000_000


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold the state folder; StackError when another process of ours holds it.

    The system drops the lock with the process, so a killed holder leaves none behind.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise StackError(
                f"It is running already (process {file.read().strip()}) with its data in "
                f"{state_dir.resolve()}: stop that one with Ctrl-C, or set STATE_DIR and other "
                "ports to run a second one beside it."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_running(state_dir: Path) -> bool:
    """Whether a supervisor holds the state folder."""
    try:
        with only_one(state_dir):
            return False
    except StackError:
        return True


def check_disk(state_dir: Path) -> None:
    """StackError when the state folder's disk has less than 1 GB left."""
    free = shutil.disk_usage(state_dir).free
    if free < _FREE_DISK_BYTES:
        raise StackError(
            f"The disk of {state_dir.resolve()} has {free / 1e9:.1f} GB left and 1 GB is needed: "
            "free some, or set STATE_DIR to a folder on another disk."
        )


def check_ports(parts: tuple[Part, ...]) -> None:
    """StackError when somebody else listens where a part is to listen."""
    for part in parts:
        for port in (part.port, *part.more_ports):
            if _taken(port):
                raise StackError(
                    f"Port {port} of {LOOPBACK}, where {part.name} is to listen, is taken"
                    f"{_by_whom(port)}: end that program, or set {part.port_setting} to a free "
                    "port."
                )


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""
