"""Only what the chosen systems need is planned."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.stack import java
from infra.stack.errors import StackError
from infra.stack.jars import pinned
from infra.stack.plan import INFRASTRUCTURE, Plan, chosen, infrastructure, plan
from infra.systems import SYSTEMS
from services.common.settings import Settings


def test_without_a_choice_every_system_and_server_is_planned() -> None:
    assert [system.name for system in chosen("")] == list(SYSTEMS)
    assert infrastructure("") == INFRASTRUCTURE


def test_the_recommender_alone_needs_neither_kafka_nor_valkey() -> None:
    assert infrastructure("recommender") == ("postgres", "mlflow")


def test_the_heat_map_alone_needs_neither_postgres_nor_mlflow() -> None:
    assert infrastructure("heatmap") == ("valkey", "kafka")


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """The plan for ONLY=`only`, with jars and Java as if they were there."""
    monkeypatch.setattr(java, "java_home", lambda _: tmp_path)
    monkeypatch.setattr("infra.stack.plan.ensure_jars", lambda *_: tmp_path)

    def make(only: str, **given: Any) -> Plan:
        settings = Settings(state_dir=tmp_path, **given)
        return plan(settings, infrastructure(only), chosen(only), lambda _: None)

    return make


def test_every_process_of_a_system_is_a_part_with_a_port_of_its_own(
    planned: Callable[..., Plan],
) -> None:
    parts = {part.name: part for part in planned("heatmap").parts}

    workers = {"heatmap", "heatmap worker", "heatmap archive", "heatmap visitors"}
    assert set(parts) == {"valkey", "kafka", "front page"} | workers
    assert {parts[name].port for name in workers} == {8002, 8012, 8022, 8032}
    assert all(parts[name].port_setting.startswith("HEATMAP_") for name in workers)


def test_the_workers_start_after_the_collector_which_starts_after_the_servers(
    planned: Callable[..., Plan],
) -> None:
    needs = {part.name: set(part.needs) for part in planned("heatmap").parts}

    assert needs["heatmap"] == {"kafka", "valkey"}
    assert "heatmap" in needs["heatmap worker"] & needs["heatmap archive"]


def test_a_server_that_is_not_ours_is_not_waited_for(planned: Callable[..., Plan]) -> None:
    needs = {p.name: p.needs for p in planned("heatmap", valkey_url="redis://there:1/0").parts}

    assert "valkey" not in needs
    assert needs["heatmap"] == ("kafka",)


def test_the_shop_carries_the_tracker_when_there_is_a_heat_map(
    planned: Callable[..., Plan],
) -> None:
    assert planned("").environment["TRACKER"] == "true"
    assert "TRACKER" not in planned("recommender").environment


def test_who_sets_the_tracker_is_obeyed(planned: Callable[..., Plan]) -> None:
    assert "TRACKER" not in planned("", tracker=False).environment


def test_no_two_processes_share_a_port_or_a_name() -> None:
    processes = [process for system in SYSTEMS.values() for process in system.processes]

    assert len({process.name for process in processes}) == len(processes)
    assert len({process.port(Settings()) for process in processes}) == len(processes)


def test_a_system_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(StackError, match="the system 'shop'; there is recommender, heatmap"):
        chosen("shop")


def test_every_jar_is_pinned_by_a_sha256() -> None:
    pins = pinned()

    assert {path.split("/")[0] for path in pins} == {"kafka", "spark"}
    assert all(len(sha256) == 64 for sha256 in pins.values())
