"""What to start for the chosen systems: the parts, and the addresses their users are given."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.stack import java, kafka, mlflow, postgres, valkey
from infra.stack.errors import StackError
from infra.stack.jars import ensure_jars
from infra.stack.part import LOOPBACK, Part, answers_http
from infra.systems import HEATMAP, SYSTEMS, Process, System
from services.common.settings import Settings

INFRASTRUCTURE = ("postgres", "valkey", "kafka", "mlflow")
_EXTERNAL = {
    "postgres": "postgres_url",
    "valkey": "valkey_url",
    "kafka": "kafka_bootstrap",
    "mlflow": "mlflow_tracking_uri",
}


@dataclass(frozen=True)
class Plan:
    """Parts to run, systems to serve, and the environment that tells everyone the addresses."""

    parts: tuple[Part, ...]
    systems: tuple[System, ...]
    environment: dict[str, str]


def chosen(only: str) -> tuple[System, ...]:
    """The systems named in `only`, separated by commas; all of them when it is empty."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(SYSTEMS)
    for name in names:
        if name not in SYSTEMS:
            raise StackError(f"ONLY names the system '{name}'; there is {', '.join(SYSTEMS)}.")
    return tuple(SYSTEMS[name] for name in names)


def infrastructure(only: str) -> tuple[str, ...]:
    """The servers that the systems of `only` need; the whole stack when it is empty."""
    if not only:
        return INFRASTRUCTURE
    needed = {name for system in chosen(only) for name in system.parts}
    return tuple(name for name in INFRASTRUCTURE if name in needed)


def plan(
    settings: Settings,
    servers: Iterable[str],
    systems: Iterable[System],
    say: Callable[[str], None],
) -> Plan:
    """Parts in the order they are shown; a server with an address in the settings is not ours."""
    java_home = java.java_home(settings.cache)
    jars = ensure_jars(settings.cache, java_home, say)
    builders = {
        "postgres": lambda: postgres.part(settings),
        "valkey": lambda: valkey.part(settings),
        "kafka": lambda: kafka.part(settings, java_home, jars),
        "mlflow": lambda: mlflow.part(settings),
    }
    ours = [name for name in servers if not getattr(settings, _EXTERNAL[name])]
    systems = tuple(systems)
    environment = {
        **_addresses(settings, ours),
        **_switches(settings, systems),
        "JAVA_HOME": str(java_home),
        "SPARK_JARS": str(jars / "spark"),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": LOOPBACK,
    }
    processes = [process for system in systems for process in system.processes]
    there = {*ours, *(process.name for process in processes)}
    served = [_service(settings, process, there) for process in processes]
    front = [_front_page(settings)] if served else []
    parts = (*(builders[name]() for name in ours), *served, *front)
    return Plan(parts=parts, systems=systems, environment=environment)


def _addresses(settings: Settings, ours: list[str]) -> dict[str, str]:
    embedded = {
        "postgres": lambda: postgres.url(settings, "lab"),
        "valkey": lambda: valkey.url(settings),
        "kafka": lambda: kafka.bootstrap(settings),
        "mlflow": lambda: mlflow.uri(settings),
    }
    return {_EXTERNAL[name].upper(): embedded[name]() for name in ours}


def _switches(settings: Settings, systems: tuple[System, ...]) -> dict[str, str]:
    """The shop's pages carry the tracker when there is a heat map to hear it, unless told."""
    told = "tracker" in settings.model_fields_set
    return {} if told or HEATMAP not in systems else {"TRACKER": "true"}


def _service(settings: Settings, process: Process, there: set[str]) -> Part:
    port = process.port(settings)
    return Part(
        name=process.name,
        command=(sys.executable, "-m", process.module),
        port=port,
        port_setting=process.port_setting,
        check=answers_http(f"http://{settings.reach_host}:{port}/livez"),
        needs=tuple(name for name in process.needs if name in there),
    )


def _front_page(settings: Settings) -> Part:
    return Part(
        name="front page",
        command=(sys.executable, "-m", "infra.portal.app"),
        port=settings.front_port,
        port_setting="FRONT_PORT",
        check=answers_http(f"http://{settings.reach_host}:{settings.front_port}/livez"),
    )
