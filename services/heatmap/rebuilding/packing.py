"""Entries in the order of their grids, as the bytes that a store keeps of each grid."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.heatmap.grid import ENTRY
from services.heatmap.keys import Keys

Packed = tuple[str, int, bytes]
"""The name of a grid, until when it is kept (UTC in milliseconds), and its entries."""


def grids(entries: Iterator[pa.RecordBatch], keys: Keys) -> Iterator[Packed]:
    """Each grid once, as long as its rows follow each other.

    entries: rows of variant, level, bucket, key, value and keep_until_ms.
    """
    name, keep_until_ms = "", 0
    parts: list[bytes] = []
    for rows in entries:
        for start, end in _runs(rows):
            level, bucket, variant, until_ms = (
                rows.column(column)[start].as_py()
                for column in ("level", "bucket", "variant", "keep_until_ms")
            )
            this = keys.grid(level, bucket, variant)
            if this != name and parts:
                yield name, keep_until_ms, b"".join(parts)
                parts = []
            name, keep_until_ms = this, until_ms
            parts.append(_packed(rows.slice(start, end - start)))
    if parts:
        yield name, keep_until_ms, b"".join(parts)


def _runs(rows: pa.RecordBatch) -> Iterator[tuple[int, int]]:
    """Where the rows of one grid begin and end."""
    if rows.num_rows == 0:
        return
    changed = np.zeros(rows.num_rows - 1, np.bool_)
    for name in ("variant", "level", "bucket"):
        column = rows.column(name)
        changed |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    yield from pairwise([0, *(np.flatnonzero(changed) + 1).tolist(), rows.num_rows])


def _packed(rows: pa.RecordBatch) -> bytes:
    entries = np.empty(rows.num_rows, ENTRY)
    entries["key"] = rows.column("key").to_numpy().view(np.uint64)
    entries["value"] = rows.column("value").to_numpy()
    return entries.tobytes()
