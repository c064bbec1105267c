"""PostgreSQL as every service uses it: SQL kept in files, applied and called by name."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection, sql

_LOCK_KEY = 4_081_990
_MIGRATION = re.compile(r"^-- migration (\d+): (.+)$", re.MULTILINE)
_QUERY = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_LEDGER = """
create table if not exists schema_migration (
    service text not null, number int not null, title text not null,
    sha256 text not null, applied_at timestamptz not null default now(),
    primary key (service, number))
"""


class MigrationError(Exception):
    """An applied migration was edited, or the numbers have a gap."""


@dataclass(frozen=True)
class Migration:
    number: int
    title: str
    body: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body.strip().encode()).hexdigest()


def migrations(schema: str) -> list[Migration]:
    """The `-- migration N: title` sections of a schema file, numbered 1, 2, 3 without a gap."""
    parts = _MIGRATION.split(schema)[1:]
    found = [
        Migration(int(number), title, body)
        for number, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"Migrations must count 1, 2, 3, not {[m.number for m in found]}.")
    return found


def migrate(connection: Connection, service: str, schema_file: Path) -> list[Migration]:
    """Apply what `schema_file` has and the database has not; give what was applied.

    Forward only: each section runs once, in one transaction with its line in the ledger, under a
    lock that lets one starter at a time do this. An applied section whose text changed is an error.
    """
    wanted = migrations(schema_file.read_text())
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        connection.execute(_LEDGER)
        rows = connection.execute(
            "select number, sha256 from schema_migration where service = %s", [service]
        )
        applied: dict[int, str] = dict(rows.fetchall())
        return [m for m in wanted if _apply(connection, service, m, applied.get(m.number))]


def _apply(
    connection: Connection, service: str, migration: Migration, applied_sha256: str | None
) -> bool:
    if applied_sha256 == migration.sha256:
        return False
    if applied_sha256 is not None:
        raise MigrationError(
            f"Migration {migration.number} of {service} ({migration.title}) was applied with "
            "another text. Migrations only go forward: add a new one instead of editing it."
        )
    connection.execute(trusted(migration.body))
    connection.execute(
        "insert into schema_migration (service, number, title, sha256) values (%s, %s, %s, %s)",
        [service, migration.number, migration.title, migration.sha256],
    )
    return True


def queries(file: Path) -> dict[str, sql.SQL]:
    """The statements of a query file by the name in the `-- name: x` line above each."""
    parts = _QUERY.split(file.read_text())[1:]
    return {name: trusted(body.strip()) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def trusted(text: str) -> sql.SQL:
    """SQL text that comes from a file of this repository, never from a request."""
    return sql.SQL(text)
