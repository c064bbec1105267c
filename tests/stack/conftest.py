"""The stack that the tests in this folder run against: the shipped one, on free ports.

It is started once, as a person would start it, with the real data when DATA_DIR has them. With
RECOMMENDER_URL, FRONT_URL and MLFLOW_URL set, tests that need only addresses run against the
system at those addresses, which is how docker compose is tested.
"""

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from infra.stack.sessions import Ledger
from tests.waiting import until

START_DEADLINE_S = 900
PORTS = ("FRONT_PORT", "RECOMMENDER_PORT", "MLFLOW_PORT", "POSTGRES_PORT", "VALKEY_PORT")
URLS = ("RECOMMENDER_URL", "FRONT_URL", "MLFLOW_URL")


@dataclass(frozen=True)
class Addresses:
    """Where the system under test answers."""

    recommender: str
    front: str
    mlflow: str


@dataclass(frozen=True)
class Stack:
    """A running embedded stack of our own."""

    addresses: Addresses
    environment: dict[str, str]
    state_dir: Path
    output: Path

    def leader(self, part: str) -> int:
        """The process of a part right now."""
        return Ledger(self.state_dir / "sessions.json").leader(part)

    def kill(self, part: str) -> int:
        """kill -9 the process of a part; give the process that it was."""
        pid = self.leader(part)
        os.kill(pid, signal.SIGKILL)
        return pid


def free_ports(count: int) -> list[int]:
    """Ports of which each and the next are free, told apart by holding them all at once."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The embedded stack with data loaded and a model trained; stopped after the last test."""
    folder = tmp_path_factory.mktemp("stack")
    *ports, kafka, spark_ui = free_ports(len(PORTS) + 2)
    chosen = dict(zip(PORTS, map(str, ports), strict=True))
    chosen |= {"KAFKA_PORT": str(kafka), "SPARK_UI_PORT": str(spark_ui)}
    environment = {**os.environ, **chosen, "STATE_DIR": str(folder / "var")}
    output = folder / "demo.log"
    with output.open("wb") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "infra.stack", "demo"],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: demo.poll() is not None or "Ready." in output.read_text(), START_DEADLINE_S)
        assert demo.poll() is None, f"The demo did not start:\n{output.read_text()}"
        written = (folder / "var" / "stack.env").read_text().splitlines()
        environment |= dict(line.split("=", 1) for line in written)
        base = "http://127.0.0.1:"
        addresses = Addresses(
            recommender=base + chosen["RECOMMENDER_PORT"],
            front=base + chosen["FRONT_PORT"],
            mlflow=base + chosen["MLFLOW_PORT"],
        )
        yield Stack(addresses, environment, folder / "var", output)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(120)


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """The addresses of the system under test, in either mode."""
    given = [os.environ.get(name, "") for name in URLS]
    if all(given):
        return Addresses(*given)
    running: Stack = request.getfixturevalue("stack")
    return running.addresses


@pytest.fixture
def database_url(stack: Stack) -> Iterator[str]:
    """The address of a fresh, empty database, dropped afterwards."""
    server = stack.environment["POSTGRES_URL"]
    name = sql.Identifier(f"test_{uuid.uuid4().hex}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
        yield server.rpartition("/")[0] + "/" + name.as_string().strip('"')
        connection.execute(sql.SQL("drop database {} with (force)").format(name))
