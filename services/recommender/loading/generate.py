"""Invented orders in the columns of Online Retail, for a machine that cannot get the real ones.

They have what a recommender looks for: few articles sell most, articles come in colours, a customer
keeps to a few themes, and what one basket holds belongs together. They prove nothing about quality.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path

from services.recommender.loading.online_retail import write_parquet

SEED = 352
CUSTOMERS = 3_000
ORDERS = 9_000
FIRST_DAY = datetime(2010, 12, 1, 8)  # noqa: DTZ001 - naive, as the real file's times
DAYS = 373


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_THEMES = _words(
    """
    ACORN ALPINE ANCHOR AUTUMN BALLOON BOTANIC CARNIVAL CIRCUS COTTAGE DRAGONFLY FERN FOREST FOX
    GALAXY HARVEST HEDGEHOG LIGHTHOUSE MEADOW MERMAID MOON ORCHARD OWL PEACOCK PICNIC RAINBOW
    ROCKET SAFARI SEASHELL SWALLOW TARTAN THISTLE TULIP UNICORN WHALE WINTER ZODIAC
    """
)
_ARTICLES = _words(
    """
    APRON BADGE BAG BASKET BOTTLE BOWL BOX BUNTING CALENDAR CANDLE CARD CLOCK COASTER CURTAIN
    CUSHION DOORMAT FRAME GARLAND HOOK JAR JUG KEYRING LAMP LANTERN MAGNET MIRROR MUG NAPKINS
    NOTEBOOK PENCIL PLATE PLANTER PURSE RIBBON RUG SCARF SIGN SOAP SPOON STICKERS STOOL TEAPOT TIN
    TOWEL TRAY UMBRELLA VASE WALLET WRAP WREATH
    """
)
_COLOURS = ("RED", "BLUE", "GREEN", "IVORY", "PINK", "GREY")
_COUNTRIES = ("United Kingdom",) * 18 + ("Germany", "France")


@dataclass(frozen=True)
class Item:
    code: str
    title: str
    theme: str
    article: str
    price: float


def write_orders(target: Path, seed: int = SEED) -> None:
    """Write the generated data set: the same file for the same seed."""
    part = target.with_suffix(".part")
    write_parquet(orders(seed), part)
    part.replace(target)


def catalogue(chance: random.Random) -> list[Item]:
    """One article per theme and noun, a third of them in two to four colours."""
    names = [(theme, article) for theme in _THEMES for article in _ARTICLES]
    chance.shuffle(names)
    return [
        item
        for number, (theme, article) in enumerate(names)
        for item in _variants(20_000 + number, theme, article, chance)
    ]


def orders(seed: int = SEED) -> Iterator[dict[str, object]]:
    """The rows, order by order; about one order in sixty is a cancellation."""
    chance = random.Random(seed)  # noqa: S311 - must be repeatable, not secret
    shelf = _Shelf(catalogue(chance))
    customers = [_Customer(str(12_000 + n), chance) for n in range(CUSTOMERS)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(CUSTOMERS)))
    minutes = sorted(chance.randrange(DAYS * 24 * 60) for _ in range(ORDERS))
    for number, minute in enumerate(minutes):
        customer = chance.choices(customers, cum_weights=weights)[0]
        yield from _order(number, FIRST_DAY + timedelta(minutes=minute), customer, shelf, chance)


def _variants(number: int, theme: str, article: str, chance: random.Random) -> list[Item]:
    price = round(chance.lognormvariate(0.8, 0.7), 1) + 0.25
    title = f"{theme} {article}"
    if chance.random() < 2 / 3:
        return [Item(str(number), title, theme, article, price)]
    colours = chance.sample(_COLOURS, chance.randint(2, 4))
    return [
        Item(f"{number}{letter}", f"{colour} {title}", theme, article, price)
        for letter, colour in zip("ABCD", colours, strict=False)
    ]


class _Shelf:
    """Items to draw from, as a whole or by theme, the first ones far more often than the last."""

    def __init__(self, items: list[Item]) -> None:
        self._all = _Ranked(items)
        self._by_theme = {t: _Ranked([i for i in items if i.theme == t]) for t in _THEMES}

    def draw(self, theme: str | None, chance: random.Random) -> Item:
        return (self._by_theme[theme] if theme else self._all).draw(chance)


class _Ranked:
    def __init__(self, items: list[Item]) -> None:
        self._items = items
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(items))))

    def draw(self, chance: random.Random) -> Item:
        return chance.choices(self._items, cum_weights=self._weights)[0]


class _Customer:
    def __init__(self, customer_id: str, chance: random.Random) -> None:
        self.customer_id = customer_id
        self.country = chance.choice(_COUNTRIES)
        self.themes = chance.sample(_THEMES, 3)


def _order(
    number: int, time: datetime, customer: _Customer, shelf: _Shelf, chance: random.Random
) -> Iterator[dict[str, object]]:
    cancelled = chance.random() < 1 / 60
    guest = chance.random() < 0.15
    theme = chance.choice(customer.themes)
    for _ in range(1 + int(chance.expovariate(1 / 14))):
        item = shelf.draw(theme if chance.random() < 0.7 else None, chance)
        yield {
            "InvoiceNo": f"{'C' if cancelled else ''}{700_000 + number}",
            "StockCode": item.code,
            "Description": item.title,
            "Quantity": chance.choice((1, 1, 2, 3, 4, 6, 12)) * (-1 if cancelled else 1),
            "InvoiceDate": time,
            "UnitPrice": round(item.price * chance.choice((1, 1, 1, 0.9)), 2),
            "CustomerID": None if guest else customer.customer_id,
            "Country": customer.country,
        }
