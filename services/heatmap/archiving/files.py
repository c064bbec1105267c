"""The archive's files: their names say which offsets they hold, and nothing else is believed.

    archive/day=2026-03-01/{partition}-{first offset}-{last offset}.parquet

A name appears only when its file is whole, so that the names alone tell where an archive goes on.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from pathlib import Path

_NAME = re.compile(r"(\d+)-(\d+)-(\d+)\.parquet")


class ArchiveError(Exception):
    """An archive that must not be written or read as it is; its text says why."""


@dataclass(frozen=True)
class Piece:
    """One file: the batches of one partition and one day, from offset `first` to `last`."""

    partition: int
    first: int
    last: int
    day: date

    def path(self, folder: Path) -> Path:
        """Where it lies in an archive's folder."""
        name = f"{self.partition}-{self.first}-{self.last}.parquet"
        return folder / f"day={self.day:%F}" / name

    def holds(self, other: "Piece") -> bool:
        """Whether `other`'s offsets are here, too, which is so after small files were merged."""
        return self.first <= other.first and other.last <= self.last


def archive_folder(state_dir: Path) -> Path:
    """Where the archive lies in the folder of all data."""
    return state_dir / "heatmap" / "archive"


def day_of(received_ms: int) -> date:
    """The day (UTC) that a batch is filed under: that of its receipt."""
    return datetime.fromtimestamp(received_ms / 1000, UTC).date()


def pieces(folder: Path) -> list[Piece]:
    """The files to read, by partition and offset, so that each offset comes once.

    What lies inside another is left out: it was merged into it. ArchiveError when two share
    offsets in any other way.
    """
    whole = [piece for piece, cover in _with_covers(_listed(folder)) if piece == cover]
    for one, next_one in pairwise(whole):
        if one.partition == next_one.partition and one.last >= next_one.first:
            raise ArchiveError(
                f"{one.path(folder)} and {next_one.path(folder)} share offsets, so batches would "
                "count twice: two archives wrote here at once. Move the file away whose offsets "
                "the others hold."
            )
    return whole


def merged(folder: Path) -> list[tuple[Piece, Piece]]:
    """The files that lie inside another one, each with that one."""
    return [(piece, cover) for piece, cover in _with_covers(_listed(folder)) if piece != cover]


def positions(folder: Path) -> dict[int, int]:
    """The offset at which each partition goes on: one after the last that is kept."""
    return {piece.partition: piece.last + 1 for piece in pieces(folder)}


def received_between(found: Iterable[Piece], from_ms: int, to_ms: int) -> list[Piece]:
    """The files that may have batches received in a time."""
    return [piece for piece in found if day_of(from_ms) <= piece.day <= day_of(to_ms)]


def runs(found: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Files of the same partition and day whose offsets follow each other without a gap."""
    run: list[Piece] = []
    for piece in found:
        if run and not _follows(run[-1], piece):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _follows(one: Piece, other: Piece) -> bool:
    return (one.partition, one.day, one.last + 1) == (other.partition, other.day, other.first)


def _listed(folder: Path) -> list[Piece]:
    found = (_piece(path) for path in folder.glob("day=*/*.parquet"))
    known = (piece for piece in found if piece is not None)
    return sorted(known, key=lambda piece: (piece.partition, piece.first, -piece.last))


def _piece(path: Path) -> Piece | None:
    name = _NAME.fullmatch(path.name)
    if name is None:
        return None
    partition, first, last = map(int, name.groups())
    return Piece(partition, first, last, date.fromisoformat(path.parent.name.partition("=")[2]))


def _with_covers(listed: list[Piece]) -> Iterator[tuple[Piece, Piece]]:
    """Each file with the one that holds its offsets, which is itself when no other does."""
    for _, group in groupby(listed, key=lambda piece: piece.partition):
        cover: Piece | None = None
        for piece in group:
            if cover is None or not cover.holds(piece):
                cover = piece
            yield piece, cover
