"""An evaluation as people read it: the table on the screen, the figures that pages quote."""

from collections.abc import Iterator, Mapping

from services.common.figures import Figure
from services.recommender.protocol import Estimate, Report

SERVED = "recommender"
COSINE = "customer cosine alone"
POPULAR = "popularity of 28 days"
COMMAND = "make evaluate SERVICE=recommender"
# What the protocol counts on Online Retail; other numbers mean other orders.
ONLINE_RETAIL = {"cases": 60_392, "invoices": 2_274, "customers": 1_540, "catalogue": 3_751}
_SUFFIXES = {"all": "", "new": "_new_customers", "returning": "_returning_customers"}


def table(reports: Mapping[str, Report]) -> str:
    """A line for each recommender and kind of customer, with 95 % intervals."""
    lines = [
        f"{'':<24}{'customers':<11}{'HR@5':<16}{'NDCG@5':<16}{'coverage@5':<12}invoices    cases"
    ]
    for recommender, report in reports.items():
        for name, segment in report.segments.items():
            coverage = f"{report.coverage_at_5:.3f}" if name == "all" else ""
            lines.append(
                f"{recommender if name == 'all' else '':<24}{name:<11}"
                f"{segment.hr_at_5!s:<16}{segment.ndcg_at_5!s:<16}{coverage:<12}"
                f"{segment.invoices:>8,}{segment.cases:>9,}"
            )
    counts = counts_of(reports[SERVED])
    lines += ["", *(f"{name}: {count:,}" for name, count in counts.items())]
    return "\n".join(lines)


def counts_of(report: Report) -> dict[str, int]:
    """What tells one set of questions from another."""
    return {
        "cases": report.overall.cases,
        "invoices": report.overall.invoices,
        "customers": report.customers,
        "catalogue": report.catalogue,
    }


def figures(reports: Mapping[str, Report]) -> Iterator[Figure]:
    """The figures of an evaluation of Online Retail."""
    served = reports[SERVED]
    for name, segment in served.segments.items():
        yield _figure(f"hr_at_5{_SUFFIXES[name]}", segment.hr_at_5)
        yield _figure(f"ndcg_at_5{_SUFFIXES[name]}", segment.ndcg_at_5)
    yield Figure("recommender.coverage_at_5", round(served.coverage_at_5, 4), "ratio", COMMAND)
    for count, value in counts_of(served).items():
        yield Figure(f"recommender.evaluated_{count}", value, count, COMMAND)
    for name, recommender in (("popularity", POPULAR), ("customer_cosine", COSINE)):
        overall = reports[recommender].overall
        yield _figure(f"{name}_hr_at_5", overall.hr_at_5)
        yield _figure(f"{name}_ndcg_at_5", overall.ndcg_at_5)


def _figure(name: str, value: Estimate) -> Figure:
    low, high = value.mean - value.half_width, value.mean + value.half_width
    spread = f"{low:.4f}..{high:.4f}"
    return Figure(f"recommender.{name}", round(value.mean, 4), "ratio", COMMAND, spread)
