"""Brings the rows of an order file into the tables: in chunks, each together with its progress."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from psycopg import Connection, Cursor

from services.recommender.catalogue import categories, family_of
from services.recommender.loading.ledger import Ledger, LoadError, Progress, Source, Statements
from services.recommender.loading.orders import Line, LineReader, Reason
from services.recommender.loading.rejects import RejectFile
from services.recommender.loading.sources import Row, open_table

CHUNK_ROWS = 50_000
DEFAULT_STOCK = 1_000

Report = Callable[[int, int | None], None]


class ReadRow(NamedTuple):
    """A row and what it turned out to be; `line_no` counts the rows of its order in the file."""

    row: Row
    line_no: int
    result: Line | Reason


class Chunks:
    """The rows of a file, checked and numbered within their orders."""

    def __init__(self, rows: Iterator[Row], reader: LineReader) -> None:
        self._rows = rows
        self._reader = reader
        self._rows_of_order: Counter[str] = Counter()

    def skip(self, count: int) -> None:
        """Pass rows that are loaded already; they still count in the numbers of their orders."""
        for _, cells in itertools.islice(self._rows, count):
            self._rows_of_order[self._reader.order_id(cells)] += 1

    def take(self, count: int) -> list[ReadRow]:
        """The next rows, at most `count`; none at the end of the file."""
        return [self._read(row) for row in itertools.islice(self._rows, count)]

    def _read(self, row: Row) -> ReadRow:
        result = self._reader.read(row[1])
        order_id = result.order_id if isinstance(result, Line) else self._reader.order_id(row[1])
        self._rows_of_order[order_id] += 1
        return ReadRow(row, self._rows_of_order[order_id], result)


class Intake:
    """Loads sources over one connection in autocommit mode; `now` bounds the times of orders."""

    def __init__(
        self, connection: Connection, statements: Statements, rejects_dir: Path, now: datetime
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._rejects_dir = rejects_dir
        self._now = now
        self._ledger = Ledger(connection, statements)

    def reject_file(self, source: Source) -> Path:
        return self._rejects_dir / f"rejects-{source.sha256[:12]}.csv"

    def load(self, source: Source, report: Report, chunk_rows: int = CHUNK_ROWS) -> Progress:
        """Load what of the source is not in yet and give its final progress.

        Each chunk is one transaction with the ledger: a killed load goes on after its last chunk,
        and a finished one changes nothing. Fails with a LoadError, SourceError or MappingError.
        """
        table = open_table(source.path, source.encoding)
        reader = LineReader(
            table.header, source.mapping, source.rules, self._now, source.time_format
        )
        progress = self._ledger.begin(source, table.row_count, self._reject_bytes(source))
        if progress.finished:
            return progress
        self._execute("create_staging")
        chunks = Chunks(table.rows, reader)
        chunks.skip(progress.rows_done)
        with RejectFile(self.reject_file(source), table.header, progress.reject_bytes) as rejects:
            while chunk := chunks.take(chunk_rows):
                with self._connection.transaction():
                    progress = self._add(source, chunk, rejects, progress)
                report(progress.rows_done, table.row_count)
        self._finish(source, progress)
        return progress

    def totals(self) -> tuple[int, int, int]:
        """How many items, customers and orders the database holds."""
        items, customers, orders = self._execute("totals").fetchall()[0]
        return items, customers, orders

    def _add(
        self, source: Source, chunk: list[ReadRow], rejects: RejectFile, before: Progress
    ) -> Progress:
        self._stage(chunk)
        conflicts = {number for (number,) in self._execute("take_conflicts")}
        rejected = list(_rejected(chunk, conflicts))
        self._execute("set_stock")
        known = self._execute("take_known").rowcount
        self._execute("add_items", {"default_stock": DEFAULT_STOCK})
        for name in ("add_customers", "add_orders", "add_purchases", "add_titles"):
            self._execute(name)
        new = self._execute("add_lines").rowcount
        rejects.write(rejected)
        after = Progress(
            rows_done=before.rows_done + len(chunk),
            lines_new=before.lines_new + new,
            lines_known=before.lines_known + known,
            rejected=before.rejected + Counter(reason.value for _, reason in rejected),
            reject_bytes=rejects.sync(),
        )
        self._ledger.advance(source, after)
        return after

    def _stage(self, chunk: list[ReadRow]) -> None:
        with self._connection.cursor() as cursor:
            with cursor.copy(self._statements["stage"]) as copy:
                for (number, _), line_no, line in chunk:
                    if isinstance(line, Line):
                        copy.write_row((number, line_no, family_of(line.item_id), *line))
            cursor.execute(self._statements["analyze_staging"])

    def _finish(self, source: Source, progress: Progress) -> None:
        loaded = progress.lines_new + progress.lines_known
        if loaded + progress.rejected.total() != progress.rows_done:
            raise LoadError(
                f"{source.path}: {loaded} lines loaded and {progress.rejected.total()} rejected do "
                f"not make the {progress.rows_done} rows that were read."
            )
        if not loaded:
            self._ledger.forget(source)
            raise LoadError(_nothing_loaded(source, progress, self.reject_file(source)))
        with self._connection.transaction():
            self._describe_items()
            self._execute("analyze")
            self._execute("refresh_popularity")
            self._ledger.finish(source)

    def _describe_items(self) -> None:
        self._execute("describe_items")
        derived = categories(dict(self._execute("titles").fetchall()))
        self._execute(
            "set_categories",
            {"item_ids": list(derived), "categories": list(derived.values())},
        )

    def _reject_bytes(self, source: Source) -> int:
        file = self.reject_file(source)
        return file.stat().st_size if file.exists() else 0

    def _execute(self, name: str, values: Mapping[str, object] | None = None) -> Cursor:
        return self._connection.execute(self._statements[name], values)


def _rejected(chunk: list[ReadRow], conflicts: set[int]) -> Iterator[tuple[Row, Reason]]:
    for row, _, result in chunk:
        if isinstance(result, Reason):
            yield row, result
        elif row[0] in conflicts:
            yield row, Reason.CONFLICT


def _nothing_loaded(source: Source, progress: Progress, reject_file: Path) -> str:
    if not progress.rows_done:
        return f"{source.path} has no rows."
    reason, rows = progress.rejected.most_common(1)[0]
    return (
        f"None of the {progress.rows_done} rows of {source.path} is a clean order line; the most "
        f"frequent reason is '{reason}' ({rows} rows). {reject_file} lists all."
    )
