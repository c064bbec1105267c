"""The commands of the README, run as they stand there, against the running stack."""

import json
import re
import subprocess
from pathlib import Path

import pytest

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
    for port_setting, documented in (("FRONT_PORT", "8000"), ("RECOMMENDER_PORT", "8001")):
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
def test_curl_gets_five_real_items(stack: Demo, command: str) -> None:
    answer = json.loads(run(stack, command))

    assert len({item["item_id"] for item in answer.get("items", [])}) == 5, answer
    assert all(item["title"] for item in answer["items"])


def test_curl_buys_an_item(stack: Demo) -> None:
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


@pytest.mark.parametrize("verb", ["make evaluate", "make bench"])
def test_measuring_writes_its_figures(stack: Demo, tmp_path: Path, verb: str) -> None:
    run(stack, one(verb), RESULTS_DIR=str(tmp_path))

    written = json.loads((tmp_path / "recommender.json").read_text())
    assert {figure["command"] for figure in written} == {one(verb)}
