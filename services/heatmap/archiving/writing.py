"""Writes the archive's files so that a kill at any moment leaves whole files only.

A file gets its name by a rename after its bytes are on the disk. One that merges others gets a name
whose range holds theirs, which hides them from readers at once; they are deleted an hour later, so
that whoever listed the folder before can still open what it saw.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from services.heatmap.archiving.files import Piece, day_of, merged, pieces, runs
from services.heatmap.archiving.rows import SCHEMA, Row, table

MERGED_BYTES = 128 * 2**20
KEEP_MERGED_S = 3600
_ROWS_AT_A_TIME = 10_000
_REPEATED = ["site", "page", "version", "view_class", "elements.list.element"]


def write(folder: Path, rows: Sequence[Row]) -> list[Piece]:
    """Keep rows of one partition, in the order of their offsets: a file for each run of a day.

    Files appear in the order of the offsets, so what a kill leaves is a beginning of the rows.
    """
    days = [day_of(row.batch.received_ms) for row in rows]
    ends = [i for i in range(1, len(rows)) if days[i] != days[i - 1]] + [len(rows)]
    written = []
    start = 0
    for end in ends:
        written.append(_write_run(folder, rows[start:end], days[start]))
        start = end
    return written


def merge(folder: Path, small: Sequence[Piece]) -> Piece:
    """One file in the place of several whose offsets follow each other."""
    first, last = small[0], small[-1]
    one = Piece(first.partition, first.first, last.last, first.day)

    def copy(writer: pq.ParquetWriter) -> None:
        for piece in small:
            with pq.ParquetFile(piece.path(folder)) as source:
                for rows in source.iter_batches(_ROWS_AT_A_TIME):
                    writer.write_batch(rows)

    _publish(folder, one, copy)
    return one


def small_files(folder: Path, partition: int, before: date) -> list[Piece]:
    """The next files of a past day that should be one; empty when there are none."""
    past = [p for p in pieces(folder) if p.partition == partition and p.day < before]
    groups = (_beginning(folder, run[start:]) for run in runs(past) for start in range(len(run)))
    return next((group for group in groups if len(group) > 1), [])


def forget_merged(folder: Path, partition: int) -> None:
    """Delete the files that were merged into another one an hour ago or earlier."""
    for piece, cover in merged(folder):
        age_s = time.time() - cover.path(folder).stat().st_mtime
        if piece.partition == partition and age_s > KEEP_MERGED_S:
            piece.path(folder).unlink()


def forget_unfinished(folder: Path, partition: int) -> None:
    """Delete what a killed archive was writing."""
    for path in folder.glob(f"day=*/.{partition}-*.tmp"):
        path.unlink()


def _beginning(folder: Path, run: Sequence[Piece]) -> list[Piece]:
    """As many of the first files as one file should hold."""
    total = 0
    group: list[Piece] = []
    for piece in run:
        total += piece.path(folder).stat().st_size
        if total > MERGED_BYTES:
            break
        group.append(piece)
    return group


def _write_run(folder: Path, rows: Sequence[Row], day: date) -> Piece:
    piece = Piece(rows[0].partition, rows[0].offset, rows[-1].offset, day)
    _publish(folder, piece, lambda writer: writer.write_table(table(rows)))
    return piece


def _publish(folder: Path, piece: Piece, fill: Callable[[pq.ParquetWriter], None]) -> None:
    path = piece.path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.tmp")
    with pq.ParquetWriter(
        temporary, SCHEMA, compression="zstd", use_dictionary=_REPEATED
    ) as writer:
        fill(writer)
    _to_disk(temporary)
    temporary.rename(path)
    for changed in (path.parent, folder):
        _to_disk(changed)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
