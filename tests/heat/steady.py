"""Batches that are all alike, for measuring what they cost: 20 events of an ordinary visit."""

import base64
import json
import random
from collections.abc import Iterator

from tests.heat.truth import AGENTS, SITE, SPAN, Parcel

VIEWS, MOVES = 12, 6
EVENTS = 20
AGE_MS = 5_000
# It shares no divisor with the numbers of pages.
_STEP = 7_919


def steady_parcels(
    count: int, pages: int, chance: random.Random, folder: str = "/steady"
) -> Iterator[Parcel]:
    """Batches of 12 segments of exposure, 6 samples of the pointer, 1 or 2 clicks, 1 or 0 of reach.

    Each is of another page view; every page gets as many as any other, and no two in a row.
    """
    for number in range(count):
        clicks = 1 + number % 2
        body = {
            "v": 1, "site": SITE, "page": f"{folder}/{pages}/{number * _STEP % pages}",
            "id": base64.urlsafe_b64encode(chance.randbytes(8)).decode().rstrip("="), "n": 0,
            "w": 1440, "h": 900, "dh": 5200,
        }  # fmt: skip
        rest = {
            "at": [0, 1700],
            "els": ["#buy"],
            "view": [value for _ in range(VIEWS) for value in _segment(chance)],
            "move": [value for _ in range(MOVES) for value in (500, *_place(chance))],
            "click": [v for n in range(clicks) for v in (900 * n, 1, *_place(chance), 0, 9, 9, 0)],
            "reach": [0, -1, chance.randint(1000, SPAN)] * (2 - clicks),
        }
        head, tail = json.dumps(body)[:-1] + ",", json.dumps(rest)[1:]
        agent = AGENTS[number % (len(AGENTS) - 1)]
        yield Parcel(head, tail, agent, VIEWS + MOVES + clicks + (2 - clicks), AGE_MS)


def _segment(chance: random.Random) -> tuple[int, int, int, int]:
    top = chance.randrange(SPAN - 1_700)
    return 0, 400, top, top + 1_700


def _place(chance: random.Random) -> tuple[int, int]:
    return chance.randrange(SPAN), chance.randrange(SPAN)
