"""Gives a restored store the lists that its grids are found by: pages, variants, elements."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any

import redis
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from services.heatmap.calls import ELEMENTS_MAX
from services.heatmap.events import element_id
from services.heatmap.grid import LEVEL_MS
from services.heatmap.keys import INDEX_S, Keys
from services.heatmap.rebuilding.folding import readable

Named = tuple[str, str, str]
"""Site, page and what belongs to it."""


def add_index(store: redis.Redis, keys: Keys, entries: DataFrame, rows: DataFrame) -> None:
    """Index the grids of these entries, and the elements that clicks of these rows name."""
    grids = readable(entries)
    _add_pages(store, keys, grids)
    for site, page, kinds in _by_page(_kinds(grids)):
        store.sadd(keys.variants(site, page), *kinds)
        store.expire(keys.variants(site, page), INDEX_S)
    for site, page, selectors in _by_page(_selectors(rows)):
        _add_elements(store, keys.elements(site, page), selectors)


def _add_pages(store: redis.Redis, keys: Keys, grids: DataFrame) -> None:
    hours = grids.where("level = '1h'").groupBy("site", "page").agg(f.max("bucket").alias("hour"))
    for row in hours.toLocalIterator():
        store.zadd(keys.pages(row["site"]), {row["page"]: row["hour"] * LEVEL_MS["1h"]}, gt=True)


def _kinds(grids: DataFrame) -> DataFrame:
    kind = f.concat_ws("|", "class", "audience", "version")
    return grids.where("level = '1d'").select("site", "page", kind.alias("named"))


def _selectors(rows: DataFrame) -> DataFrame:
    return rows.select("site", "page", f.explode("elements").alias("named"))


def _by_page(named: DataFrame) -> Iterator[tuple[str, str, list[str]]]:
    """What belongs to each page, in order and at most ELEMENTS_MAX of it."""
    ordered = named.distinct().orderBy("site", "page", "named")
    found: Iterable[Named] = ((r["site"], r["page"], r["named"]) for r in ordered.toLocalIterator())
    for (site, page), group in groupby(found, key=lambda one: one[:2]):
        yield site, page, [text for _, _, text in islice(group, ELEMENTS_MAX)]


def _add_elements(store: redis.Redis, name: str, selectors: list[str]) -> None:
    room = ELEMENTS_MAX - int(store.hlen(name))
    known = store.hmget(name, [str(element_id(selector)) for selector in selectors])
    unknown = [text for text, there in zip(selectors, known, strict=True) if there is None]
    fields: dict[Any, Any] = {
        str(element_id(selector)): selector for selector in unknown[: max(0, room)]
    }
    if fields:
        store.hset(name, mapping=fields)
        store.expire(name, INDEX_S)
