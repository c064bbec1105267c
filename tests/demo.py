"""A demo as a person starts it, for tests and benches: on free ports, until it says Ready."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.stack.sessions import Ledger
from infra.systems import SYSTEMS
from services.common.settings import Settings
from tests.waiting import still_running, until

READY = "Ready."
START_DEADLINE_S = 1800
STOP_DEADLINE_S = 120
DEMO = (sys.executable, "-m", "infra.stack", "demo")
_PAGES = tuple(p.port_setting for system in SYSTEMS.values() for p in system.processes)
_PORTS_TO_DRAW = range(12_000, 32_000, 2)
_PORTS = ("FRONT_PORT", *_PAGES, "MLFLOW_PORT", "POSTGRES_PORT", "VALKEY_PORT")


@dataclass(frozen=True)
class Demo:
    """A running demo: its settings, its processes, its address book."""

    settings: dict[str, str]
    state_dir: Path
    seconds_to_ready: float

    def url(self, port_setting: str) -> str:
        """The address of a server that speaks HTTP."""
        default = Settings.model_fields[port_setting.lower()].default
        return f"http://127.0.0.1:{self.settings.get(port_setting, default)}"

    def environment(self) -> dict[str, str]:
        """What a command beside this demo gets: its settings and the servers' addresses."""
        lines = (self.state_dir / "stack.env").read_text().splitlines()
        return self.settings | dict(line.split("=", 1) for line in lines)

    def leader(self, part: str) -> int:
        """The process of a part right now."""
        return Ledger(self.state_dir / "sessions.json").leader(part)

    def kill(self, part: str) -> int:
        """kill -9 the process of a part; give the process that it was."""
        pid = self.leader(part)
        os.kill(pid, signal.SIGKILL)
        return pid


def free_ports(count: int) -> list[int]:
    """Ports that are free, and each with the next one free too, which Kafka needs.

    They lie below those that the system gives to connections, so that none is taken by chance
    between the look and the use.
    """
    drawn = random.SystemRandom().sample(_PORTS_TO_DRAW, 4 * count)
    free = [port for port in drawn if _is_free(port) and _is_free(port + 1)]
    assert len(free) >= count, f"Hardly any of the ports {drawn} are free."
    return free[:count]


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def own_settings(state_dir: Path) -> dict[str, str]:
    """This process' environment with ports and a state folder that nobody else uses."""
    *ports, kafka, spark_ui = map(str, free_ports(len(_PORTS) + 2))
    chosen = dict(zip(_PORTS, ports, strict=True))
    chosen |= {"KAFKA_PORT": kafka, "SPARK_UI_PORT": spark_ui, "STATE_DIR": str(state_dir)}
    return {**os.environ, **chosen}


@contextmanager
def running_demo(
    settings: dict[str, str],
    output: Path,
    command: Sequence[str] = DEMO,
    folder: Path = Path(),
    while_waiting: Callable[[], object] = lambda: None,
) -> Iterator[Demo]:
    """Start `command` in `folder`, wait for Ready, and end with Ctrl-C, which may leave nothing."""
    began_s = time.monotonic()
    state_dir = folder / settings["STATE_DIR"]
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=settings, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def decided() -> bool:
        while_waiting()
        return process.poll() is not None or READY in output.read_text()

    try:
        until(decided, START_DEADLINE_S)
        assert process.poll() is None, f"The demo did not start:\n{output.read_text()}"
        yield Demo(settings, state_dir, time.monotonic() - began_s)
    finally:
        parts = Ledger(state_dir / "sessions.json").processes()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_DEADLINE_S)
    left = still_running(parts)
    assert not left, f"Ctrl-C left {left} running."
