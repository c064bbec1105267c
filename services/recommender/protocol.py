"""How a recommender is judged: the later orders of known customers, each item asked about.

A case is an item of an order (the seed); its targets are the other items of the order which the
customer never had before. Five items are asked for, out of the whole catalogue.
"""

import math
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from statistics import fmean, pstdev

PLACES = 5
Z_95 = 1.96


@dataclass(frozen=True)
class Split:
    """Train on orders before `cut`; judge by those from `cut` to before `end`; both midnights."""

    cut: datetime
    end: datetime


@dataclass(frozen=True)
class Invoice:
    """An order of a known customer, with its distinct items."""

    order_id: str
    customer_id: str
    ordered_at: datetime
    items: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """The cases of one invoice: the targets of each seed."""

    targets: Mapping[str, frozenset[str]]
    new_customer: bool


@dataclass(frozen=True)
class Judged:
    """One invoice's means over its cases, and what was shown."""

    customer_id: str
    new_customer: bool
    cases: int
    hit_rate: float
    ndcg: float
    shown: frozenset[str]


@dataclass(frozen=True)
class Estimate:
    """A mean over invoices and the half-width of its 95 % interval."""

    mean: float
    half_width: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} ±{self.half_width:.4f}"


@dataclass(frozen=True)
class Segment:
    """The quality for some of the invoices."""

    invoices: int
    cases: int
    hr_at_5: Estimate
    ndcg_at_5: Estimate


@dataclass(frozen=True)
class Report:
    """The quality of one recommender; a segment without invoices is missing."""

    segments: Mapping[str, Segment]
    customers: int
    catalogue: int
    coverage_at_5: float

    @property
    def overall(self) -> Segment:
        return self.segments["all"]


def split(newest_order: datetime, evaluation_days: int) -> Split:
    """The split whose last day is that of the newest order (UTC)."""
    last_day = datetime.combine(newest_order.astimezone(UTC).date(), time(), UTC)
    return Split(last_day - timedelta(days=evaluation_days), last_day + timedelta(days=1))


def sample(invoices: Sequence[Invoice], count: int, seed: int) -> frozenset[str]:
    """Order ids of `count` invoices with two items or more, the same for the same seed."""
    candidates = [invoice.order_id for invoice in invoices if len(invoice.items) > 1]
    return frozenset(random.Random(seed).sample(candidates, min(count, len(candidates))))  # noqa: S311


def question(
    invoice: Invoice, catalogue: Collection[str], bought: Collection[str]
) -> Question | None:
    """The cases of an invoice whose customer had `bought` before; None when it gives none."""
    seeds = [item for item in invoice.items if item in catalogue]
    wanted = frozenset(item for item in seeds if item not in bought)
    targets = {seed: wanted - {seed} for seed in seeds if wanted - {seed}}
    return Question(targets, new_customer=not bought) if targets else None


def judge(invoice: Invoice, asked: Question, answers: Mapping[str, Sequence[str]]) -> Judged:
    """The quality of the answers to each seed of a question; a missing answer hits nothing."""
    pairs = [(answers.get(seed, ())[:PLACES], wanted) for seed, wanted in asked.targets.items()]
    return Judged(
        customer_id=invoice.customer_id,
        new_customer=asked.new_customer,
        cases=len(pairs),
        hit_rate=fmean(any(item in wanted for item in answer) for answer, wanted in pairs),
        ndcg=fmean(ndcg(answer, wanted) for answer, wanted in pairs),
        shown=frozenset(item for answer, _ in pairs for item in answer),
    )


def ndcg(answer: Sequence[str], wanted: Collection[str]) -> float:
    """Binary NDCG: 1 when the first places, as many as there are targets, all hit."""
    gain = sum(_discount(place) for place, item in enumerate(answer) if item in wanted)
    return gain / sum(_discount(place) for place in range(min(PLACES, len(wanted))))


def report(judged: Sequence[Judged], catalogue: int) -> Report | None:
    """The means over invoices, and the share of a catalogue of that many items that was shown.

    None when no invoice gave a case.
    """
    if not judged:
        return None
    parts = {
        "all": judged,
        "new": [one for one in judged if one.new_customer],
        "returning": [one for one in judged if not one.new_customer],
    }
    shown = frozenset(item for one in judged for item in one.shown)
    return Report(
        segments={name: _segment(part) for name, part in parts.items() if part},
        customers=len({one.customer_id for one in judged}),
        catalogue=catalogue,
        coverage_at_5=len(shown) / catalogue,
    )


def _segment(judged: Sequence[Judged]) -> Segment:
    return Segment(
        invoices=len(judged),
        cases=sum(one.cases for one in judged),
        hr_at_5=estimate(one.hit_rate for one in judged),
        ndcg_at_5=estimate(one.ndcg for one in judged),
    )


def estimate(values: Iterable[float]) -> Estimate:
    """The mean of at least one value, with its normal 95 % interval."""
    numbers = list(values)
    return Estimate(fmean(numbers), Z_95 * pstdev(numbers) / math.sqrt(len(numbers)))


def _discount(place: int) -> float:
    return 1 / math.log2(place + 2)
