"""When a new model may replace the one that serves."""

from services.recommender.protocol import Estimate
from services.recommender.training.publish import Serving, refusal

SERVING = Serving(version=7, run_id="run", metrics={"hr_at_5": 0.40})


def test_a_first_model_always_serves() -> None:
    assert refusal(Estimate(0.01, 0.005), None) is None


def test_a_model_within_the_interval_serves() -> None:
    assert refusal(Estimate(0.385, 0.02), SERVING) is None


def test_a_model_that_is_worse_by_more_than_the_interval_is_refused_with_both_numbers() -> None:
    reason = refusal(Estimate(0.37, 0.02), SERVING)

    assert reason is not None
    assert "0.3700 ±0.0200" in reason
    assert "0.4000 of version 7" in reason


def test_a_model_that_could_not_be_measured_does_not_replace_a_measured_one() -> None:
    reason = refusal(None, SERVING)

    assert reason is not None
    assert "no later order" in reason


def test_a_model_replaces_one_that_was_never_measured() -> None:
    unmeasured = Serving(version=1, run_id="run", metrics={})

    assert refusal(None, unmeasured) is None
    assert refusal(Estimate(0.1, 0.01), unmeasured) is None
