"""The commands of the README, run as they stand there, against the running stack."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from services.common.settings import Settings
from tests.demo import Demo

DEADLINE_S = 600
COMMANDS = re.findall(r"^((?:curl|make) .+)$", Path("README.md").read_text(), re.MULTILINE)
ORDERS = """order,sku,name,units,time,price,buyer,country
1,A-1,Blue cup,2,2026-01-01 10:00,2.50,ann,France
1,A-2,Red cup,1,2026-01-01 10:00,2.50,ann,France
2,A-1,Blue cup,0,2026-01-02 11:00,2.50,bob,Spain
"""


# What a load says at its end.
LOADED = {"recommender": "Aggregated", "heatmap": "batches/s"}


def run(demo: Demo, command: str, **settings: str) -> str:
    """What a shell prints for a command of the README, with the ports of this stack."""
    for port_setting in ("FRONT_PORT", "RECOMMENDER_PORT", "HEATMAP_PORT"):
        documented = Settings.model_fields[port_setting.lower()].default
        command = command.replace(f":{documented}", f":{demo.settings[port_setting]}")
    done = subprocess.run(
        ["bash", "-c", command], env=demo.environment() | settings, capture_output=True, text=True,
        timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout + done.stderr)


def one(start: str) -> str:
    """The README's command that begins like this."""
    return next(str(command) for command in COMMANDS if command.startswith(start))


@pytest.mark.parametrize("command", [c for c in COMMANDS if "/recommendations" in c])
def test_curl_gets_five_real_items(stack: Demo, real_data: None, command: str) -> None:
    answer = json.loads(run(stack, command))

    assert len({item["item_id"] for item in answer.get("items", [])}) == 5, answer
    assert all(item["title"] for item in answer["items"])


def test_curl_buys_an_item(stack: Demo, real_data: None) -> None:
    receipt = json.loads(run(stack, one("curl -s -X POST")))

    assert receipt["customer_id"] == "17850"


def test_own_orders_are_loaded_and_bad_rows_counted(
    stack: Demo, tmp_path: Path, database_url: str
) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(ORDERS)
    command = one("make data").replace("orders.csv", str(orders))

    printed = run(stack, command, POSTGRES_URL=database_url)

    assert "rejected" in printed.lower()


def test_curl_asks_who_is_on_the_pages_of_a_site(stack: Demo) -> None:
    answer = json.loads(run(stack, one('curl -s "http://127.0.0.1:8002/v1/sites')))

    assert "/article" in {page["page"] for page in answer["pages"]}


def test_curl_asks_what_the_last_hour_saw_of_a_page(stack: Demo) -> None:
    answer = json.loads(run(stack, one('curl -s "http://127.0.0.1:8002/v1/heat')))

    assert sum(answer["view_ms"]) > 0


@pytest.mark.parametrize("service", ["recommender", "heatmap"])
def test_load_runs_without_a_failed_request(stack: Demo, service: str) -> None:
    documented = one(f"make load SERVICE={service}")
    command = documented.replace("USERS=20 SECONDS=30", "USERS=3 SECONDS=5")

    assert LOADED[service] in run(stack, command)


def measured(stack: Demo, verb: str, folder: Path) -> dict[str, float]:
    """The figures that a measuring command of the README writes, by their names."""
    run(stack, one(verb), RESULTS_DIR=str(folder))
    (file,) = folder.glob("*.json")
    written = json.loads(file.read_text())
    assert {figure["command"] for figure in written} == {one(verb)}
    return {figure["name"]: figure["value"] for figure in written}


def test_evaluate_repeats_the_protocol_and_keeps_the_promised_quality(
    stack: Demo, real_data: None, tmp_path: Path
) -> None:
    figures = measured(stack, "make evaluate", tmp_path)

    assert figures["recommender.evaluated_cases"] == 60_392
    assert figures["recommender.hr_at_5"] >= 0.37
    assert figures["recommender.ndcg_at_5"] >= 0.147


def test_bench_measures_the_statement_and_the_request(stack: Demo, tmp_path: Path) -> None:
    figures = measured(stack, "make bench SERVICE=recommender", tmp_path)

    assert 0 < figures["recommender.query_p50_ms"] <= figures["recommender.query_p99_ms"]
    assert 0 < figures["recommender.request_p50_ms"] <= figures["recommender.request_p99_ms"]


def test_bench_measures_the_fold(stack: Demo, tmp_path: Path) -> None:
    figures = measured(stack, "make bench SERVICE=heatmap", tmp_path)

    assert figures["heatmap.fold_events_per_cpu_s"] > 0
