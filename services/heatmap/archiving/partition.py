"""One partition of the topic on its way into the archive: which batches wait, what comes next."""

import fcntl
import os
from pathlib import Path

from services.common.log import get_logger
from services.heatmap.archiving.files import ArchiveError, positions
from services.heatmap.archiving.rows import Row
from services.heatmap.archiving.writing import forget_merged, forget_unfinished, write


class Partition:
    """Takes a partition's batches in order and writes them in pieces; it alone, until closed.

    next: the offset to read next, as the names of the files tell.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number
        self._lock = _locked(folder, number)
        forget_unfinished(folder, number)
        forget_merged(folder, number)
        self.next = positions(folder).get(number, 0)
        self._written = self.next > 0
        self._waiting: list[Row] = []

    def add(self, row: Row) -> None:
        """Let a batch wait to be written; ArchiveError when it was there before."""
        self.skip(row.offset)
        self._waiting.append(row)

    def skip(self, offset: int) -> None:
        """Go past an offset that can't be kept."""
        if offset < self.next:
            raise ArchiveError(
                f"Kafka gave offset {offset} of partition {self._number}, but the archive in "
                f"{self._folder} has all before {self.next}: it is the archive of another topic. "
                "Move that folder away, or restore the topic."
            )
        if offset > self.next and self._written:
            get_logger().error(
                "batches are missing from the archive: the topic dropped them before they were "
                "read",
                partition=self._number,
                first_offset=self.next,
                last_offset=offset - 1,
            )
        self.next, self._written = offset + 1, True

    def flush(self) -> int:
        """Write what waits, and say how many batches that were; they are safe from here on."""
        rows, self._waiting = self._waiting, []
        if rows:
            write(self._folder, rows)
        return len(rows)

    def close(self) -> None:
        """Write what waits and let another process go on."""
        self.flush()
        os.close(self._lock)


def _locked(folder: Path, number: int) -> int:
    """Hold a partition's files alone: two writers would keep the same offsets twice."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f".partition-{number}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ArchiveError(
            f"Another process writes partition {number} of the archive in {folder}; it must end "
            "before this one can go on."
        ) from error
    return descriptor
