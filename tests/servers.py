"""One server of the stack by itself, for tests that kill it or fill it up."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.stack import java, kafka, valkey
from infra.stack.jars import ensure_jars
from infra.stack.part import Part
from services.common.settings import Settings
from tests.demo import free_ports
from tests.waiting import until

READY_S = 120


class Server:
    """A part that runs, can be killed, and started again with the data it had."""

    def __init__(self, part: Part, log: Path) -> None:
        self._part = part
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it until it answers."""
        self._part.prepare()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._part.command, stdout=log, stderr=log)
        until(self._answers, READY_S)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"It ended:\n{self._log.read_text()}"
        return self._part.check()


@contextmanager
def running(part: Part, log: Path) -> Iterator[Server]:
    server = Server(part, log)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def own_valkey(folder: Path) -> Iterator[tuple[Server, str]]:
    """A Valkey of one's own, as the stack runs it, and its address."""
    settings = Settings(state_dir=folder, valkey_port=free_ports(1)[0])
    with running(valkey.part(settings), folder / "valkey.log") as server:
        yield server, valkey.url(settings)


@contextmanager
def own_kafka(folder: Path) -> Iterator[tuple[Server, str]]:
    """A Kafka of one's own, as the stack runs it, and its address."""
    # The controller takes the port after the broker's.
    settings = Settings(state_dir=folder, kafka_port=free_ports(1)[0])
    java_home = java.java_home(settings.cache)
    jars = ensure_jars(settings.cache, java_home)
    with running(kafka.part(settings, java_home, jars), folder / "kafka.log") as server:
        yield server, kafka.bootstrap(settings)
