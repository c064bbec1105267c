"""The heat map's job on the Spark cluster, as the design says to run it."""

from datetime import UTC, datetime, timedelta

from tests.compose import Composed
from tests.waiting import until

DEADLINE_S = 300


def test_the_grids_of_a_past_period_are_made_from_the_archive(composed: Composed) -> None:
    def archived() -> bool:
        return "day=" in composed.compose(
            "exec", "-T", "heatmap-archive", "ls", "/var/lib/lab/state/heatmap/archive"
        )

    until(archived, DEADLINE_S)
    today = datetime.now(UTC).date()
    period = ("--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1)))
    printed = composed.compose(
        "run", "--rm", "heatmap-job", "python", "-m", "services.heatmap.job", *period,
        timeout_s=DEADLINE_S,
    )  # fmt: skip

    assert "grids" in printed
