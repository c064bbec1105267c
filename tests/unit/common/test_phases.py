"""What a job tells of its phases."""

from services.common.phases import Phases


def test_a_phase_is_told_with_what_it_counted() -> None:
    told: list[str] = []

    with Phases(told.append)("customer pairs") as counts:
        counts["pairs"] = 1_234_567

    assert told[0].startswith("  customer pairs ")
    assert told[0].endswith(" s  1,234,567 pairs")


def test_a_phase_that_comes_twice_adds_up() -> None:
    phases = Phases(lambda _: None)

    with phases("reading"):
        pass
    once = phases.seconds["reading"]
    with phases("reading"):
        pass

    assert list(phases.seconds) == ["reading"]
    assert phases.seconds["reading"] > once
