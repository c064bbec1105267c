"""What a load shows while it runs and when it is done."""

import io
from collections import Counter
from pathlib import Path

from services.recommender.loading.ledger import Progress
from services.recommender.loading.report import progress_line, summary


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_rewritten() -> None:
    out = Terminal()
    report = progress_line(out)
    report(50_000, 541_909)
    report(100_000, 541_909)

    assert out.getvalue() == "\r  50,000 of 541,909 rows\r  100,000 of 541,909 rows"


def test_elsewhere_each_report_is_a_line() -> None:
    out = io.StringIO()
    progress_line(out)(50_000, None)

    assert out.getvalue() == "  50,000 rows\n"


def test_the_table_accounts_for_every_row() -> None:
    progress = Progress(10, 6, 1, Counter({"cancelled order": 2, "time is not a date and time": 1}))

    assert summary(progress, Path("rejects.csv"), (3, 2, 5), 1.26).split("\n") == [
        "",
        "rows                                     10",
        "loaded                                    6",
        "known from another load                   1",
        "rejected                                  3",
        "  cancelled order                         2",
        "  time is not a date and time             1",
        "  see rejects.csv",
        "items in the shop                         3",
        "customers                                 2",
        "orders                                    5",
        "seconds                                 1.3",
    ]
