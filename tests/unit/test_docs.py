"""The pages say what is so: figures, links, settings and commands."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.diagrams import diagrams
from infra.pages import settings_table
from services.common.figures import all_figures, wrong_quotes

PAGES = sorted([Path("README.md"), *Path("services").glob("*/README.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
# Where each command of the README is run, up to its first word that differs.
RUN_BY = {
    "make demo": "tests/demo.py",
    "make test": ".ci/run",
    "curl -s": "tests/stack/test_readme.py",
    "make evaluate SERVICE=recommender": "tests/stack/test_readme.py",
    "make bench SERVICE=recommender": "tests/stack/test_readme.py",
    "make bench SERVICE=heatmap PARTS=fold": "tests/stack/test_readme.py",
    "make load SERVICE=recommender": "tests/stack/test_readme.py",
    "make load SERVICE=heatmap": "tests/stack/test_readme.py",
    "make data SERVICE=recommender": "tests/stack/test_readme.py",
    "docker compose up --wait": "tests/compose.py",
    "docker compose down": "tests/compose.py",
}


def commands() -> list[str]:
    blocks = BLOCK.findall(Path("README.md").read_text())
    return [line for block in blocks for line in block.splitlines() if line]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page if not path else page.parent / path
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_figure_on_a_page_is_the_measured_one(page: Path) -> None:
    assert not list(wrong_quotes(page.read_text(), all_figures()))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert not list(dead_links(page))


def test_the_settings_table_is_that_of_the_code() -> None:
    assert settings_table() in Path("README.md").read_text()


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_readme_is_run_by_a_test(command: str) -> None:
    runners = [runner for start, runner in RUN_BY.items() if command.startswith(start)]

    assert runners
    assert all(Path(runner).exists() for runner in runners)


def test_the_promised_figures_are_kept() -> None:
    figures = {name: figure.value for name, figure in all_figures().items()}

    assert figures["stack.second_start_s"] <= 30
    assert figures["stack.memory_mb"] <= 3000
    assert figures["recommender.hr_at_5"] >= 0.37
    assert figures["heatmap.truth_lost"] == figures["heatmap.truth_doubled"] == 0
    assert figures["heatmap.click_to_paint_p50_s"] <= 0.5
    assert figures["heatmap.click_to_paint_p99_s"] <= 1.5
    assert figures["heatmap.position_error_px_same_class"] <= 2
    assert figures["heatmap.position_error_px_across"] <= 10
    assert figures["heatmap.post_to_store_p99_ms"] <= 60
    assert figures["heatmap.fold_events_per_cpu_s"] >= 1_500_000
    assert figures["heatmap.tracker_gz_bytes"] <= 3_072
    assert figures["heatmap.wire_bytes_per_event"] <= 25
    assert figures["heatmap.cost_ratio_10k_to_10_pages"] <= 1.2


def test_every_figure_names_the_command_that_measures_it() -> None:
    figures = all_figures().values()

    assert figures
    assert all(re.match(r"make (evaluate|bench|load|data)", f.command) for f in figures)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_diagram_is_drawn_from_the_text_of_the_page(page: Path) -> None:
    assert not [file for file in diagrams(page) if not file.exists()]
