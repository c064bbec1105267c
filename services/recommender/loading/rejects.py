"""The reject file of a load: each row that is not a clean line, with its number and the reason."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from services.recommender.loading.orders import Reason
from services.recommender.loading.sources import Row


class RejectFile:
    """A CSV file that is written in step with the database.

    `sync` gives the length that is safely on disk; a load that goes on after a crash opens the file
    with the length of its last finished chunk, and what was written after it is cut off.
    """

    def __init__(self, path: Path, header: Sequence[str], keep_bytes: int) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("r+b" if keep_bytes else "wb")
        self._file.truncate(keep_bytes)
        self._file.seek(keep_bytes)
        self._header = () if keep_bytes else ("line", "reason", *header)

    def write(self, rejected: Iterable[tuple[Row, Reason]]) -> None:
        text = io.StringIO()
        writer = csv.writer(text)
        for (number, cells), reason in rejected:
            if self._header:
                writer.writerow(self._header)
                self._header = ()
            writer.writerow((number, reason.value, *cells))
        self._file.write(text.getvalue().encode(errors="backslashreplace"))

    def sync(self) -> int:
        """Bring everything written to the disk; give the length of the file in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        if self.path.stat().st_size == 0:
            self.path.unlink()
