"""What the front page watches: each part as data, with the question that tells whether it runs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import urlsplit

import httpx2

from infra.systems import SYSTEMS, Process
from services.common.settings import Settings

PROBE_TIMEOUT_S = 1.0

Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Part:
    """A server: what it does here, how to ask whether it runs, and the port of a page it has."""

    name: str
    title: str
    role: str
    probe: Probe
    port: int | None = None
    passing: bool = False
    """Runs now and then; not running is no trouble, and its link is shown only while it does."""


class State(TypedDict):
    name: str
    up: bool


def watched(settings: Settings, client: httpx2.AsyncClient) -> tuple[Part, ...]:
    """Every process of every system, then every server of the stack."""
    processes = (process for system in SYSTEMS.values() for process in system.processes)
    of_systems = (
        Part(p.name, p.name, p.role, answers(client, f"{address(settings, p)}/readyz"))
        for p in processes
    )
    return (
        *of_systems,
        Part("postgres", "PostgreSQL", "Items, orders, neighbours.", _postgres(settings)),
        Part("valkey", "Valkey", "Grids, and who is here now.", _valkey(settings)),
        Part("kafka", "Kafka", "Events on their way to the heat map.", _kafka(settings)),
        Part(
            "mlflow",
            "MLflow",
            "Runs and models.",
            _mlflow(settings, client),
            settings.mlflow_port,
        ),
        Part(
            "spark",
            "Spark",
            "Trains, and shows its page meanwhile.",
            answers(client, settings.spark_ui_url or _here(settings, settings.spark_ui_port)),
            settings.spark_ui_port,
            passing=True,
        ),
    )


def address(settings: Settings, process: Process) -> str:
    """Where this process asks another; a browser asks at the same port of the page's host."""
    given = getattr(settings, f"{process.name.replace(' ', '_')}_url")
    return given or _here(settings, process.port(settings))


async def states(parts: Sequence[Part]) -> list[State]:
    """Ask all parts at once; one that does not answer in time does not run."""
    found = await asyncio.gather(*(_in_time(part.probe) for part in parts))
    return [State(name=part.name, up=up) for part, up in zip(parts, found, strict=True)]


async def _in_time(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await probe()
    except (OSError, TimeoutError, httpx2.HTTPError):
        return False


def answers(client: httpx2.AsyncClient, url: str) -> Probe:
    """A probe that `url` answers with success, or leads on to a page that may."""

    async def probe() -> bool:
        return (await client.get(url)).status_code < 400

    return probe


def accepts(host: str, port: int) -> Probe:
    """A probe that something accepts connections there."""

    async def probe() -> bool:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
        return True

    return probe


def _here(settings: Settings, port: int) -> str:
    return f"http://{settings.reach_host}:{port}"


def _postgres(settings: Settings) -> Probe:
    return _server(settings.postgres_url, settings.reach_host, settings.postgres_port)


def _valkey(settings: Settings) -> Probe:
    return _server(settings.valkey_url, settings.reach_host, settings.valkey_port)


def _kafka(settings: Settings) -> Probe:
    first = settings.kafka_bootstrap.partition(",")[0]
    return _server(f"//{first}" if first else "", settings.reach_host, settings.kafka_port)


def _mlflow(settings: Settings, client: httpx2.AsyncClient) -> Probe:
    uri = settings.mlflow_tracking_uri or _here(settings, settings.mlflow_port)
    return answers(client, f"{uri.rstrip('/')}/health")


def _server(url: str, host: str, port: int) -> Probe:
    given = urlsplit(url)
    return accepts(given.hostname or host, given.port or port)
