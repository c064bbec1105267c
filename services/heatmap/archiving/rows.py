"""Batches as rows of the archive, and back."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from services.heatmap.events import Batch


class Row(NamedTuple):
    """A batch and where the topic has it."""

    partition: int
    offset: int
    batch: Batch


# Ids are 64 bits that mean nothing as numbers; Spark has no unsigned ones, so they are signed here.
_IDS = ("view_id", "visitor")
SCHEMA = pa.schema(
    [
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("v", pa.int16()),
        ("received_ms", pa.int64()),
        ("origin_ms", pa.int64()),
        ("site", pa.string()),
        ("page", pa.string()),
        ("version", pa.string()),
        ("view_class", pa.string()),
        ("audience", pa.int8()),
        ("view_id", pa.int64()),
        ("number", pa.int32()),
        ("visitor", pa.int64()),
        ("at", pa.list_(pa.int32())),
        ("bye", pa.bool_()),
        ("elements", pa.list_(pa.string())),
        ("view", pa.binary()),
        ("move", pa.binary()),
        ("click", pa.binary()),
        ("reach", pa.binary()),
    ]
)
_FIELDS = SCHEMA.names[2:]


def table(rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table of SCHEMA."""
    columns: list[object] = [[row.partition for row in rows], [row.offset for row in rows]]
    for name in _FIELDS:
        values = [getattr(row.batch, name) for row in rows]
        columns.append([_signed(value) for value in values] if name in _IDS else values)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def batches(record_batch: pa.RecordBatch) -> Iterator[Batch]:
    """The batches of Arrow rows that have at least a batch's columns."""
    columns = [_values(record_batch, name) for name in _FIELDS]
    return (Batch(*values) for values in zip(*columns, strict=True))


def _values(record_batch: pa.RecordBatch, name: str) -> Iterable[object]:
    values = record_batch.column(name).to_pylist()
    if name in _IDS:
        return [_unsigned(value) for value in values]
    if name == "at":
        return [None if band is None else tuple(band) for band in values]
    return list(values)


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def _unsigned(number: int) -> int:
    return number % 2**64
