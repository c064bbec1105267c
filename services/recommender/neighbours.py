"""The neighbours of every item, as a map-reduce on Spark: purchases in, the best fifty out.

Everywhere an item is a small integer and a pair is `item` < `other`, so each is counted once.
"""

from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - Spark's own name for them

from services.recommender.recipe import Recipe

DAY_MICROS = 86_400_000_000
MAP_TASKS = 8


def customer_pairs(lines: DataFrame, recipe: Recipe) -> DataFrame:
    """Cosine of items over the customers who bought them; `support` is the customers of both.

    `lines` has order_id, customer_id, item and ordered_at. Gives item, other, score, support.
    """
    bought = lines.groupBy("customer_id", "item").agg(F.max("ordered_at").alias("last_at"))
    newest = _first(bought, recipe.customer_items, "customer_id", F.desc("last_at"), "item")
    groups = newest.groupBy("customer_id").agg(_sorted_items()).withColumn("weight", F.lit(1.0))
    return _cosine(groups, recipe)


def basket_pairs(lines: DataFrame, as_of: datetime, recipe: Recipe) -> DataFrame:
    """The same over orders, each weighing half as much per half-life of its age at `as_of`."""
    bought = lines.groupBy("order_id", "item").agg(F.min("ordered_at").alias("ordered_at"))
    first = _first(bought, recipe.basket_items, "order_id", "item")
    age_micros = F.unix_micros(F.lit(as_of)) - F.unix_micros("ordered_at")
    weight = F.pow(F.lit(0.5), age_micros / (DAY_MICROS * recipe.half_life_days))
    groups = first.groupBy("order_id").agg(_sorted_items(), F.min("ordered_at").alias("ordered_at"))
    return _cosine(groups.withColumn("weight", weight), recipe)


def content_pairs(items: DataFrame) -> DataFrame:
    """TF-IDF cosine of titles, times a half to one by how close the prices are.

    `items` has item, title and price. Gives item, other, score of pairs that share a word.
    """
    words = items.select("item", F.explode(_words(F.col("title"))).alias("word"))
    rarity = words.groupBy("word").agg(F.log(items.count() / F.count("*")).alias("weight"))
    # A word in every title tells nothing, and alone would make a vector of length 0.
    weighted = words.join(F.broadcast(rarity.where("weight > 0")), "word")
    length = weighted.groupBy("item").agg(F.sqrt(F.sum(F.col("weight") ** 2)).alias("length"))
    unit = weighted.join(F.broadcast(length), "item").select(
        "item", "word", (F.col("weight") / F.col("length")).alias("weight")
    )
    others = unit.select("word", F.col("item").alias("other"), F.col("weight").alias("weight_2"))
    shared = unit.join(others, "word").where("item < other").groupBy("item", "other")
    cosine = shared.agg(F.sum(F.col("weight") * F.col("weight_2")).alias("cosine"))
    priced = _with_both(cosine, items.select("item", "price"), "price")
    return priced.select("item", "other", (F.col("cosine") * _closeness()).alias("score"))


def blend(
    customers: DataFrame, baskets: DataFrame, content: DataFrame, recipe: Recipe
) -> DataFrame:
    """The sum of the three scores of each pair; `support` is at least 1 where purchases spoke."""
    votes = customers.unionByName(baskets.withColumn("support", F.lit(1).cast("long"))).unionByName(
        content.select(
            "item",
            "other",
            (recipe.content_weight * F.col("score")).alias("score"),
            F.lit(0).cast("long").alias("support"),
        )
    )
    return votes.groupBy("item", "other").agg(
        F.sum("score").alias("score"), F.max("support").alias("support")
    )


def nearest(pairs: DataFrame, recipe: Recipe) -> DataFrame:
    """The best neighbours of each item: item, rank from 1, neighbour, score, support."""
    there = F.struct("item", F.col("other").alias("neighbour"), "score", "support")
    back = F.struct(
        F.col("other").alias("item"), F.col("item").alias("neighbour"), "score", "support"
    )
    both_ways = pairs.select(F.explode(F.array(there, back)).alias("pair")).select("pair.*")
    return _first(both_ways, recipe.neighbours, "item", F.desc("score"), "neighbour")


def _cosine(groups: DataFrame, recipe: Recipe) -> DataFrame:
    """Shrunk cosine over groups of `items`, each with a `weight`."""
    # Few groups make many pairs: by their size adaptive execution would give them to one core.
    spread = groups.repartition(MAP_TASKS).persist()
    sizes = spread.select(F.explode("items").alias("item"), "weight").groupBy("item")
    totals = sizes.agg(F.sum("weight").alias("total"))
    pairs = _pairs(spread).where(F.col("support") >= recipe.min_support)
    geometric = F.sqrt(F.col("total") * F.col("total_2"))
    score = F.col("both") / (geometric + recipe.shrinkage)
    return _with_both(pairs, totals, "total").select(
        "item", "other", score.alias("score"), "support"
    )


def _pairs(groups: DataFrame) -> DataFrame:
    """Map each group to the pairs of its items; reduce a pair to the groups that have both."""
    firsts = groups.select("weight", "items", F.posexplode("items").alias("place", "item"))
    later = F.slice("items", F.col("place") + 2, F.size("items"))
    mapped = firsts.select("item", F.explode(later).alias("other"), "weight")
    return mapped.groupBy("item", "other").agg(
        F.sum("weight").alias("both"), F.count("*").alias("support")
    )


def _with_both(pairs: DataFrame, of_item: DataFrame, column: str) -> DataFrame:
    """Pairs with a column of the item, and as `column_2` of the other."""
    other = of_item.withColumnsRenamed({"item": "other", column: f"{column}_2"})
    return pairs.join(F.broadcast(of_item), "item").join(F.broadcast(other), "other")


def _first(rows: DataFrame, count: int, group: str, *order: Column | str) -> DataFrame:
    rank = F.row_number().over(Window.partitionBy(group).orderBy(*order))
    return rows.withColumn("rank", rank).where(F.col("rank") <= count)


def _sorted_items() -> Column:
    return F.sort_array(F.collect_list("item")).alias("items")


def _words(title: Column) -> Column:
    """The distinct words of a title, small, of two letters or more, without a plural s."""
    words = F.regexp_extract_all(F.lower(title), F.lit(r"\p{L}+"), F.lit(0))
    long = F.filter(words, lambda word: F.length(word) > 1)
    plural = "(?<=..[^s])s$"
    return F.array_distinct(F.transform(long, lambda word: F.regexp_replace(word, plural, "")))


def _closeness() -> Column:
    """A half for prices far apart up to one for equal prices, two free items being equal."""
    ratio = F.try_divide(F.least("price", "price_2"), F.greatest("price", "price_2"))
    return 0.5 + 0.5 * F.coalesce(ratio, F.lit(1.0))
