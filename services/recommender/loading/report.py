"""What a load shows: a line that says how far it is, and a table at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from services.recommender.loading.ledger import Progress


def progress_line(out: TextIO) -> Callable[[int, int | None], None]:
    """Write how far a load is: over the last line on a terminal, as a new line elsewhere."""
    terminal = out.isatty()

    def report(rows_done: int, rows_total: int | None) -> None:
        of = f" of {rows_total:,}" if rows_total is not None else ""
        out.write(f"\r  {rows_done:,}{of} rows" if terminal else f"  {rows_done:,}{of} rows\n")
        out.flush()

    return report


def summary(
    progress: Progress, reject_file: Path, totals: tuple[int, int, int], seconds: float
) -> str:
    """The table at the end of a load; `totals` are the items, customers and orders there are."""
    rejected = progress.rejected.total()
    items, customers, orders = totals
    lines = [
        ("rows", progress.rows_done),
        ("loaded", progress.lines_new),
        *([("known from another load", progress.lines_known)] if progress.lines_known else []),
        ("rejected", rejected),
        *((f"  {reason}", rows) for reason, rows in progress.rejected.most_common()),
        *([(f"  see {reject_file}", None)] if rejected else []),
        ("items in the shop", items),
        ("customers", customers),
        ("orders", orders),
    ]
    width = max(len(label) for label, number in lines if number is not None) + 2
    table = [label if n is None else f"{label:<{width}}{n:>12,}" for label, n in lines]
    return "\n".join(["", *table, f"{'seconds':<{width}}{seconds:>12.1f}"])
