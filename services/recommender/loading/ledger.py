"""The ledger of loads: what was loaded, how far a load is, and that one runs at a time."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import Connection, errors, sql
from psycopg.types.json import Jsonb

from services.recommender.loading.orders import ANY_SHOP, Rules

_LOCK_KEY = 7_226_113
# Long enough for the server to notice that a killed load is gone.
LOCK_WAIT_S = 10.0

Statements = Mapping[str, sql.SQL]


class LoadError(Exception):
    """A load that cannot begin or whose rows do not add up."""


@dataclass(frozen=True)
class Source:
    """An order file and how to read it."""

    name: str
    path: Path
    sha256: str
    rules: Rules = ANY_SHOP
    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8-sig"
    time_format: str | None = None

    @property
    def key(self) -> dict[str, str]:
        """What makes two loads the same one: the file's content and the way of reading it."""
        how = [self.rules.name, sorted(self.mapping.items()), self.encoding, self.time_format]
        return {"sha256": self.sha256, "reading": json.dumps(how)}


@dataclass(frozen=True)
class Progress:
    """How far a load is, in rows of its file; each row done is new, known or rejected."""

    rows_done: int = 0
    lines_new: int = 0
    lines_known: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    reject_bytes: int = 0
    finished: bool = False


class Ledger:
    """Reads and writes `data_load`."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    def begin(self, source: Source, rows_total: int | None, reject_bytes: int) -> Progress:
        """The progress of a source, entered now if it is new.

        A load whose reject file is shorter than it was (`reject_bytes`) starts over: the rejected
        rows would be lost, the loaded ones are known by their keys.
        """
        entry = source.key | {"source": source.name, "rows_total": rows_total}
        self._execute("begin", entry)
        progress = self._progress(source)
        if not progress.finished and reject_bytes < progress.reject_bytes:
            self.forget(source)
            self._execute("begin", entry)
            return Progress()
        return progress

    def advance(self, source: Source, progress: Progress) -> None:
        self._execute(
            "advance",
            source.key
            | {
                "rows_done": progress.rows_done,
                "lines_new": progress.lines_new,
                "lines_known": progress.lines_known,
                "rejected": Jsonb(progress.rejected),
                "reject_bytes": progress.reject_bytes,
            },
        )

    def finish(self, source: Source) -> None:
        self._execute("finish", source.key)

    def forget(self, source: Source) -> None:
        self._execute("forget", source.key)

    def sources(self, *, finished_only: bool) -> list[str]:
        """The names of what was loaded into this database."""
        rows = self._connection.execute(
            self._statements["sources"], {"finished_only": finished_only}
        )
        return [str(name) for (name,) in rows]

    def _progress(self, source: Source) -> Progress:
        row = self._connection.execute(self._statements["progress"], source.key).fetchone()
        if row is None:
            raise LoadError(
                f"The ledger lost its entry of {source.name}: was the database emptied?"
            )
        done, new, known, rejected, reject_bytes, finished = row
        return Progress(done, new, known, Counter(rejected), reject_bytes, finished)

    def _execute(self, name: str, values: Mapping[str, object]) -> None:
        self._connection.execute(self._statements[name], values)


@contextmanager
def one_load_at_a_time(connection: Connection, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the database's lock on loading; fails with a LoadError while another load has it."""
    connection.execute("select set_config('lock_timeout', %s, false)", [f"{wait_s * 1000:.0f}ms"])
    try:
        connection.execute("select pg_advisory_lock(%s)", [_LOCK_KEY])
    except errors.LockNotAvailable as error:
        raise LoadError("Another load runs on this database; wait until it is done.") from error
    connection.execute("reset lock_timeout")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("select pg_advisory_unlock(%s)", [_LOCK_KEY])
