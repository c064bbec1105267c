"""The Spark job: reads a shop, computes each kind of pair, gives the neighbours of every item."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - Spark's own name for them

from services.common.jdbc import Jdbc, TimeRange
from services.common.phases import Phases
from services.recommender.neighbours import (
    basket_pairs,
    blend,
    content_pairs,
    customer_pairs,
    nearest,
)
from services.recommender.recipe import Recipe
from services.recommender.training.publish import Statements


@dataclass(frozen=True)
class History:
    """The times of the orders to learn from: from the first one to before a midnight."""

    first: datetime
    before: datetime


@dataclass(frozen=True)
class Fit:
    """Neighbours as rows of `item_neighbour` without a version, and what was counted."""

    neighbours: DataFrame
    by_customers_alone: DataFrame
    counts: dict[str, int]


@dataclass(frozen=True)
class Fitting:
    """Where the job runs, how it computes, and whom it tells."""

    spark: SparkSession
    statements: Statements
    recipe: Recipe
    phases: Phases

    def fit(self, shop: Jdbc, history: History) -> Fit:
        """The neighbours of all items of a shop, from its orders in `history`."""
        self.spark.catalog.clearCache()
        with self.phases("reading") as counts:
            items = self._items(shop).persist()
            lines = self._lines(shop, history, items).persist()
            counts |= {"items": items.count(), "lines": lines.count()}
        customers = self._pairs("customer pairs", customer_pairs(lines, self.recipe))
        baskets = self._pairs("basket pairs", basket_pairs(lines, history.before, self.recipe))
        content = self._pairs("content", content_pairs(items))
        with self.phases("best neighbours") as best:
            pairs = blend(customers, baskets, content, self.recipe)
            neighbours = _named(nearest(pairs, self.recipe), items).persist()
            best |= {"neighbours": neighbours.count()}
        return Fit(
            neighbours=neighbours,
            by_customers_alone=_named(nearest(customers, self.recipe), items),
            counts=counts | best,
        )

    def write(self, neighbours: DataFrame, shop: Jdbc, version: int) -> None:
        """Append neighbours to the shop's table, under a version that nobody reads yet."""
        rows = neighbours.withColumn("model_version", F.lit(version))
        with self.phases("writing"):
            shop.append(rows.sortWithinPartitions("item_id", "rank"), "item_neighbour")

    def _items(self, shop: Jdbc) -> DataFrame:
        return shop.read(self.spark, self.statements["items"].as_string())

    def _lines(self, shop: Jdbc, history: History, items: DataFrame) -> DataFrame:
        query = self.statements["lines"].format(before=sql.Literal(history.before)).as_string()
        slices = TimeRange("ordered_at", history.first, history.before)
        lines = shop.read(self.spark, query, slices)
        return lines.join(F.broadcast(items.select("item", "item_id")), "item_id").drop("item_id")

    def _pairs(self, phase: str, pairs: DataFrame) -> DataFrame:
        kept = pairs.persist()
        with self.phases(phase) as counts:
            counts["pairs"] = kept.count()
        return kept


def _named(neighbours: DataFrame, items: DataFrame) -> DataFrame:
    """Rows of the table, item ids in place of their numbers."""
    names = F.broadcast(items.select("item", "item_id"))
    others = names.withColumnsRenamed({"item": "neighbour", "item_id": "neighbour_id"})
    named = neighbours.join(names, "item").join(others, "neighbour")
    return named.select(
        "item_id",
        F.col("rank").cast("short").alias("rank"),
        "neighbour_id",
        F.col("score").cast("float").alias("score"),
        F.col("support").cast("int").alias("support"),
    )
