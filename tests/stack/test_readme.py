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


def test_load_runs_without_a_failed_request(stack: Demo) -> None:
    command = re.sub("USERS=20 SECONDS=30", "USERS=3 SECONDS=5", one("make load"))

    assert "Aggregated" in run(stack, command)


def measured(stack: Demo, verb: str, folder: Path) -> dict[str, float]:
    """The figures that a measuring command of the README writes, by their names."""
    run(stack, one(verb), RESULTS_DIR=str(folder))
    written = json.loads((folder / "recommender.json").read_text())
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
    figures = measured(stack, "make bench", tmp_path)

    assert 0 < figures["recommender.query_p50_ms"] <= figures["recommender.query_p99_ms"]
    assert 0 < figures["recommender.request_p50_ms"] <= figures["recommender.request_p99_ms"]
