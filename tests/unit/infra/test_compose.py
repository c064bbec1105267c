"""What docker-compose.yml and infra/Dockerfile promise, read from the files."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.compose.forward import serve
from infra.stack import mlflow, postgres
from infra.systems import SYSTEMS
from services.common.settings import Settings
from tests.demo import free_ports

TEXT = Path("docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
JOBS = {f"{system.name}-{job.name}": job for system in SYSTEMS.values() for job in system.jobs}
ASKED_FOR = {"heatmap-job"}
SERVERS = sorted(set(SERVICES) - set(JOBS) - ASKED_FOR - {"ready"})
PROCESSES = {p.name.replace(" ", "-"): p for s in SYSTEMS.values() for p in s.processes}
PAGES = {"front", "mlflow", "recommender-train", *SYSTEMS}
MEBIBYTES = {"m": 1, "g": 1024}
RESTARTS = dict.fromkeys(JOBS, "on-failure:3") | dict.fromkeys(ASKED_FOR, "no")
DOCKERFILE = Path("infra/Dockerfile").read_text()
FALLBACK = re.compile(r"\$\{(\w+):-([^}]*)\}")
ONLY_HERE = {
    "POSTGRES_PASSWORD",
    "SPARK_EXECUTOR_MEMORY",
    "SPARK_MASTER_UI_PORT",
    "SPARK_WORKER_CORES",
    "SPARK_WORKER_LIMIT",
    "SPARK_WORKER_MEMORY",
}


def mebibytes(service: str) -> int:
    limit: str = FALLBACK.sub(r"\2", SERVICES[service]["mem_limit"])
    return int(limit[:-1]) * MEBIBYTES[limit[-1]]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_gets_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_leaves_no_zombies_fills_no_disk_and_comes_back(name: str) -> None:
    service = SERVICES[name]

    assert service["init"] is True
    assert service["restart"] == RESTARTS.get(name, "unless-stopped")
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_all_that_runs_for_long_fits_in_four_gigabytes() -> None:
    assert sum(mebibytes(name) for name in SERVERS) + mebibytes("ready") <= 4096


def test_only_pages_are_published_outside_the_debug_profile() -> None:
    published = {name for name, service in SERVICES.items() if "ports" in service}

    assert published - PAGES == {"ports"}
    assert SERVICES["ports"]["profiles"] == ["debug"]


@pytest.mark.parametrize("name", sorted(n for n in SERVICES if "ports" in SERVICES[n]))
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


@pytest.mark.parametrize("name", sorted(n for n in SERVICES if "volumes" in SERVICES[n]))
def test_what_is_kept_has_a_name_so_that_down_leaves_nothing_unnamed(name: str) -> None:
    mounts = [mount for mount in SERVICES[name]["volumes"] if isinstance(mount, str)]
    sources = [source for source, colon, _ in (m.partition(":") for m in mounts) if colon]

    assert len(sources) == len(mounts)
    assert all(source.startswith("./") or source in FILE["volumes"] for source in sources)


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_has_a_health_check_that_starts_neither_java_nor_python(name: str) -> None:
    kind, *command = SERVICES[name]["healthcheck"]["test"]

    assert kind in {"CMD", "CMD-SHELL"}
    assert not re.search(r"java|python|kafka-|spark-", " ".join(command))


def test_whoever_waits_waits_for_an_answer_and_not_for_a_start() -> None:
    conditions = [
        (needed, condition["condition"])
        for service in SERVICES.values()
        for needed, condition in service.get("depends_on", {}).items()
    ]

    assert conditions
    for needed, condition in conditions:
        wanted = "service_completed_successfully" if needed in JOBS else "service_healthy"
        assert condition == wanted, needed


def needed_by(name: str) -> set[str]:
    """All that must be there before a service starts."""
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*map(needed_by, direct))


def test_up_waits_for_everything_that_runs_and_for_the_jobs() -> None:
    assert needed_by("ready") == set(SERVICES) - {"ready", "ports"} - ASKED_FOR
    assert all(SERVICES[name]["profiles"] == ["job"] for name in ASKED_FOR)


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_process_of_a_system_runs_as_it_does_without_docker(name: str) -> None:
    process = PROCESSES[name]

    assert SERVICES[name]["command"] == f"python -m {process.module}"
    assert {needed.replace(" ", "-") for needed in process.needs} <= needed_by(name)


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_process_is_asked_for_its_life_at_its_own_port(name: str) -> None:
    test = " ".join(SERVICES[name]["healthcheck"]["test"])

    port = PROCESSES[name].port(Settings.model_construct())
    assert FALLBACK.sub(r"\2", test) == f"CMD infra/compose/answers {port} /livez"


def test_the_front_page_asks_every_process_where_it_runs() -> None:
    given = SERVICES["front"]["environment"]

    for name, process in PROCESSES.items():
        url = FALLBACK.sub(r"\2", given[name.replace("-", "_").upper() + "_URL"])
        assert url == f"http://{name}:{process.port(Settings.model_construct())}"


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_first_run_job_runs_as_it_does_without_docker(name: str) -> None:
    job = JOBS[name]

    assert SERVICES[name]["command"] == " ".join(["python -m", job.module, *job.arguments])
    assert set(job.needs) <= needed_by(name)


def test_a_process_answers_to_the_name_of_its_container() -> None:
    assert {"localhost", *PROCESSES} <= set(FILE["x-settings"]["ALLOWED_HOSTS"].split(","))


def test_every_variable_given_to_a_service_is_a_setting() -> None:
    known = {name.upper() for name in Settings.model_fields}

    assert set(FILE["x-settings"]) <= known


def test_what_a_person_may_set_is_a_setting_with_the_same_default() -> None:
    defaults = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    mentioned = {name: default for name, default in FALLBACK.findall(TEXT) if name not in ONLY_HERE}
    differ = {"DATA_DIR", "SPARK_DRIVER_MEMORY"}

    assert set(mentioned) <= set(defaults)
    for name in set(mentioned) - differ:
        assert mentioned[name] == str(defaults[name]), name


def test_a_variable_has_one_default_wherever_it_stands() -> None:
    found: dict[str, set[str]] = {}
    for name, default in FALLBACK.findall(TEXT):
        found.setdefault(name, set()).add(default)

    assert all(len(defaults) == 1 for defaults in found.values()), found


def options(file: str) -> dict[str, str]:
    lines = (line for line in Path(file).read_text().splitlines() if line[:1] not in ("", "#"))
    return dict(line.split("=", 1) for line in lines)


def test_kafka_has_the_options_of_the_stack_without_docker() -> None:
    addresses = {"listeners", "advertised.listeners", "log.dirs"} | {
        "controller.quorum.bootstrap.servers",
        "listener.security.protocol.map",
    }
    here, there = options("infra/compose/kafka.properties"), options("infra/stack/kafka.properties")

    for both in (here, there):
        for name in addresses:
            both.pop(name, None)
    assert here == there


def test_postgres_has_the_options_of_the_stack_without_docker(tmp_path: Path) -> None:
    part = postgres.part(Settings(state_dir=tmp_path))
    options = [str(word) for word in part.command]

    given = SERVICES["postgres"]["command"].split()[2::2]
    assert given == [options[i + 1] for i, word in enumerate(options) if word == "-c"]


def test_mlflow_runs_as_lean_as_without_docker(tmp_path: Path) -> None:
    part = mlflow.part(Settings(state_dir=tmp_path))
    given = SERVICES["mlflow"]["environment"]

    assert "--workers 1" in " ".join(map(str, part.command))
    assert "--workers 1" in SERVICES["mlflow"]["command"]
    assert set(part.environment) <= set(given)
    assert given["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_images_are_public_and_pinned_or_built_here() -> None:
    images = {service["image"] for service in SERVICES.values()}
    ours = {image for image in images if image.startswith("ml-system-design-lab/")}

    assert images - ours == {"postgres:18", "valkey/valkey:9", "apache/kafka:4.3.1"}
    assert all("build" in service for service in SERVICES.values() if service["image"] in ours)
    assert re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.MULTILINE) == ["python:3.11-slim-bookworm"]


def test_every_package_of_an_image_is_checked_against_the_lock() -> None:
    installs = re.findall(r"pip install((?:.*\\\n)*.*)", DOCKERFILE)

    assert len(installs) == 4
    for install in installs:
        assert "--require-hashes" in install
        assert "lock_of_uv" in install or "--constraint requirements.lock" in install


def test_the_debug_profile_passes_bytes_both_ways() -> None:
    async def main() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read()).upper())
            writer.close()

        outer, inner = free_ports(2)
        async with (
            await asyncio.start_server(echo, "127.0.0.1", inner),
            await serve(outer, "127.0.0.1", inner),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", outer)
            writer.write(b"hello")
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(main()) == b"HELLO"


def test_the_debug_profile_hangs_up_when_a_server_is_away() -> None:
    async def main() -> bytes:
        outer, nobody = free_ports(2)
        async with await serve(outer, "127.0.0.1", nobody):
            reader, writer = await asyncio.open_connection("127.0.0.1", outer)
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(main()) == b""
