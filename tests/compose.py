"""`python -m tests.compose`: start the composed stack as the README says, test it, take it down.

Where no Docker engine can be had it says so loudly and succeeds: the stack without Docker is then
what the tests have run against. ENGINE_SETUP may name a command that brings an engine.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.common.settings import load_settings
from tests.demo import free_ports

ENGINE_SETUP_DEADLINE_S = 900
BUILD_DEADLINE_S = 1800
UP_DEADLINE_S = 1500
COMMAND_DEADLINE_S = 300
PORTS = (
    "FRONT_PORT",
    "RECOMMENDER_PORT",
    "HEATMAP_PORT",
    "MLFLOW_PORT",
    "SPARK_UI_PORT",
    "SPARK_MASTER_UI_PORT",
    "POSTGRES_PORT",
    "VALKEY_PORT",
    "KAFKA_PORT",
)
CHECKS = (
    "tests/stack/test_journey.py",
    "tests/stack/test_heatmap_life.py",
    "tests/compose_checks/test_containers.py",
    "tests/compose_checks/test_killed.py",
    "tests/compose_checks/test_again.py",
)
NO_ENGINE = """
************************************************************************************************
  docker compose WAS NOT TESTED: {reason}
  Install Docker with its compose plugin, or set ENGINE_SETUP to a command that brings them.
************************************************************************************************
"""


class ComposeError(Exception):
    """A docker command failed; the message is what it said."""


@dataclass(frozen=True)
class Composed:
    """One project of docker compose, apart from any other on this machine."""

    environment: Mapping[str, str]

    def compose(self, *arguments: str, timeout_s: float = COMMAND_DEADLINE_S) -> str:
        """What `docker compose ARGUMENTS` prints; ComposeError when it fails."""
        return self._run("docker", "compose", *arguments, timeout_s=timeout_s)

    def containers(self, service: str = "") -> list[str]:
        """The ids of a service's containers, or of all, running or not."""
        chosen = [service] if service else []
        return self.compose("ps", "--all", "--quiet", *chosen).split()

    def inspect(self, container: str, template: str) -> str:
        """A field of a container, by a Go template."""
        return self._run("docker", "inspect", "--format", template, container).strip()

    def stats(self) -> str:
        """Memory and its limit, a line for each running container."""
        running = self.compose("ps", "--quiet").split()
        table = "table {{.Name}}\t{{.MemUsage}}\t{{.MemPerc}}"
        return self._run("docker", "stats", "--no-stream", "--format", table, *running)

    def _run(self, *command: str, timeout_s: float = COMMAND_DEADLINE_S) -> str:
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            said = f"{done.stdout.strip()}\n{done.stderr.strip()}".strip()
            raise ComposeError(f"`{' '.join(command)}` ended with {done.returncode}:\n{said}")
        return done.stdout


def main() -> int:
    """Run everything; give the exit status."""
    trouble = _set_up_engine() or _engine_trouble()
    if trouble:
        print(NO_ENGINE.format(reason=trouble), flush=True)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    composed = Composed(_own_settings())
    logs = load_settings().state_dir / "compose-logs"
    try:
        return _test(composed, logs)
    finally:
        _say("taking it down")
        composed.compose("--profile", "debug", "down", "--volumes", "--timeout", "5")


def _engine_trouble() -> str:
    """Why docker compose cannot be used here; empty when it can."""
    if shutil.which("docker") is None:
        return "there is no command docker."
    for command in (["docker", "compose", "version"], ["docker", "info"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"`{' '.join(command)}` says: {(done.stderr or done.stdout).strip()}"
    return ""


def _set_up_engine() -> str:
    """Run ENGINE_SETUP, if any; what went wrong, empty when nothing did."""
    command = os.environ.get("ENGINE_SETUP", "")
    if not command:
        return ""
    _say(f"setting up a Docker engine with {command}")
    try:
        subprocess.run(command, shell=True, timeout=ENGINE_SETUP_DEADLINE_S, check=True)
    except subprocess.SubprocessError as error:
        return f"ENGINE_SETUP failed: {error}"
    return ""


def _own_settings() -> dict[str, str]:
    """Free ports, and a project name that only this checkout uses."""
    checkout = hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:8]
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    urls = {
        port.replace("_PORT", "_URL"): f"http://127.0.0.1:{ports[port]}"
        for port in ("FRONT_PORT", "RECOMMENDER_PORT", "HEATMAP_PORT", "MLFLOW_PORT")
    }
    return {"COMPOSE_PROJECT_NAME": f"lab-check-{checkout}", **ports, **urls}


def _test(composed: Composed, logs: Path) -> int:
    composed.compose("--profile", "debug", "down", "--volumes", "--remove-orphans")
    _timed("docker compose build", composed, ("build",), BUILD_DEADLINE_S)
    try:
        _timed("docker compose up --wait", composed, ("up", "--wait"), UP_DEADLINE_S)
    except (ComposeError, subprocess.TimeoutExpired) as error:
        _keep_logs(composed, logs)
        print(error, flush=True)
        return 1
    environment = {**os.environ, **composed.environment}
    command = [sys.executable, "-m", "pytest", *CHECKS]
    code = subprocess.run(command, env=environment, check=False).returncode
    if code != 0:
        _keep_logs(composed, logs)
    print(composed.stats(), flush=True)
    return code


def _timed(what: str, composed: Composed, arguments: tuple[str, ...], deadline_s: float) -> None:
    _say(what)
    began_s = time.monotonic()
    composed.compose(*arguments, timeout_s=deadline_s)
    _say(f"{what} took {time.monotonic() - began_s:.1f} s")


def _keep_logs(composed: Composed, folder: Path) -> None:
    """One file for each container, with its state in the first line."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in composed.compose("config", "--services").split():
        state = composed.compose("ps", "--all", "--format", "{{.Name}}: {{.Status}}", service)
        log = composed.compose("logs", "--no-color", "--no-log-prefix", service)
        (folder / f"{service}.log").write_text(state + log)
    _say(f"the logs of all containers are in {folder}")


def _say(line: str) -> None:
    print(f"-- {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
