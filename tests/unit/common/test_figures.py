"""Figures are written once and quoted truly."""

from pathlib import Path

from services.common.figures import Figure, all_figures, record, requote, wrong_quotes

HIT_RATE = Figure("shop.hr_at_5", 0.39846, "ratio", "make evaluate", spread="0.38..0.41")


def test_a_recorded_figure_is_read_back_with_where_and_when_it_was_measured(tmp_path: Path) -> None:
    record(tmp_path, HIT_RATE)

    figure = all_figures(tmp_path)["shop.hr_at_5"]
    assert (figure.value, figure.spread) == (HIT_RATE.value, HIT_RATE.spread)
    assert figure.commit
    assert "cores" in figure.machine
    assert figure.measured_at.endswith("+00:00")


def test_recording_again_replaces_the_figure_and_keeps_the_others(tmp_path: Path) -> None:
    record(tmp_path, HIT_RATE, Figure("shop.p50_ms", 2.0, "ms", "make bench"))
    record(tmp_path, Figure("shop.p50_ms", 3.0, "ms", "make bench"))

    values = {name: figure.value for name, figure in all_figures(tmp_path).items()}
    assert values == {"shop.hr_at_5": 0.39846, "shop.p50_ms": 3.0}


def test_each_service_has_a_file_of_its_own(tmp_path: Path) -> None:
    record(tmp_path, HIT_RATE, Figure("stack.memory_mb", 900, "MB", "make bench"))

    assert sorted(file.name for file in tmp_path.iterdir()) == ["shop.json", "stack.json"]


def test_a_quote_is_true_at_the_precision_it_is_written_with() -> None:
    page = "0.40<!-- shop.hr_at_5 --> or, closer, 0.398<!-- shop.hr_at_5 -->"

    assert not list(wrong_quotes(page, {"shop.hr_at_5": HIT_RATE}))


def test_a_quote_that_differs_from_the_measured_value_is_named() -> None:
    wrong = list(wrong_quotes("0.41<!-- shop.hr_at_5 -->", {"shop.hr_at_5": HIT_RATE}))

    assert wrong == ["shop.hr_at_5 is quoted as 0.41, but was measured as 0.39846."]


def test_a_quote_of_a_figure_that_nobody_measured_is_named() -> None:
    wrong = list(wrong_quotes("7 ms<!-- shop.p99_ms -->", {}))

    assert wrong == ["shop.p99_ms is quoted as 7, but no results file has it."]


def test_requoting_makes_every_quote_true() -> None:
    figures = {"shop.orders": Figure("shop.orders", 19773, "orders", "make data")}

    page = requote("1,000 orders<!-- shop.orders -->", figures)

    assert page == "19,773 orders<!-- shop.orders -->"
