"""What MLflow keeps of a training: its numbers, its artifacts, which version is the champion."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pyspark.sql import DataFrame

from services.recommender.protocol import Report
from services.recommender.recipe import Recipe

MODEL = "recommender"
ALIAS = "champion"
_PLAIN_NAMES = {"all": "", "new": "_new_customers", "returning": "_returning_customers"}

MODEL_CARD = """# Neighbours of every item

For the item of a page and a customer, five more items. The table is read by the SQL function
`recommend()` in PostgreSQL; `neighbours.parquet` is the table, `recipe.json` all constants.

* Learned from orders before {before}: {lines} lines, {items} items.
* Judged by {judged}.
* Not for ranking a whole catalogue, and of no use for shops whose orders have one item each.
"""


def metrics_of(report: Report) -> dict[str, float]:
    """The numbers of a report by the names under which they are logged and stored."""
    numbers = {
        "coverage_at_5": report.coverage_at_5,
        "evaluated_invoices": float(report.overall.invoices),
        "evaluated_cases": float(report.overall.cases),
        "evaluated_customers": float(report.customers),
    }
    for name, segment in report.segments.items():
        end = _PLAIN_NAMES[name]
        for metric in ("hr_at_5", "ndcg_at_5"):
            value = getattr(segment, metric)
            numbers |= {f"{metric}{end}": value.mean, f"{metric}{end}_95": value.half_width}
    return numbers


def write_artifacts(
    folder: Path, neighbours: DataFrame, recipe: Recipe, facts: Mapping[str, object]
) -> None:
    """Write the files of a model into a folder."""
    pq.write_table(neighbours.toArrow(), folder / "neighbours.parquet")
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n")
    (folder / "README.md").write_text(MODEL_CARD.format_map(facts))


def champion_is(client: MlflowClient, run_id: str) -> bool:
    """Whether MLflow's champion is the version of this run."""
    try:
        return bool(client.get_model_version_by_alias(MODEL, ALIAS).run_id == run_id)
    except MlflowException:
        return False


def crown(client: MlflowClient, run_id: str) -> bool:
    """Move MLflow's alias to the version of this run; False when MLflow does not have it."""
    versions = client.search_model_versions(f"name = '{MODEL}' and run_id = '{run_id}'")
    for version in versions:
        client.set_registered_model_alias(MODEL, ALIAS, str(version.version))
    return bool(versions)
