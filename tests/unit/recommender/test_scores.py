"""An evaluation as a table and as figures."""

import pytest

from services.recommender.protocol import Judged, Report, report
from services.recommender.training.scores import COSINE, POPULAR, SERVED, counts_of, figures, table


def made(hit_rate: float) -> Report:
    judged = [
        Judged("a", True, 3, hit_rate, hit_rate / 2, frozenset("xy")),
        Judged("b", False, 2, hit_rate, hit_rate / 2, frozenset("yz")),
    ]
    result = report(judged, catalogue=4)
    assert result is not None
    return result


@pytest.fixture
def reports() -> dict[str, Report]:
    return {SERVED: made(0.4), COSINE: made(0.3), POPULAR: made(0.2)}


def test_the_table_has_a_line_for_each_recommender_and_kind_of_customer(
    reports: dict[str, Report],
) -> None:
    shown = table(reports)

    assert "0.4000 ±0.0000" in shown
    assert sum("returning" in line for line in shown.splitlines()) == 3


def test_the_counts_tell_what_was_asked(reports: dict[str, Report]) -> None:
    assert counts_of(reports[SERVED]) == {
        "cases": 5, "invoices": 2, "customers": 2, "catalogue": 4,
    }  # fmt: skip


def test_the_figures_have_the_names_that_pages_quote(reports: dict[str, Report]) -> None:
    values = {figure.name: figure.value for figure in figures(reports)}

    assert values["recommender.hr_at_5"] == 0.4
    assert values["recommender.ndcg_at_5"] == 0.2
    assert values["recommender.coverage_at_5"] == 0.75
    assert values["recommender.hr_at_5_new_customers"] == 0.4
    assert values["recommender.popularity_hr_at_5"] == 0.2
    assert values["recommender.evaluated_cases"] == 5
