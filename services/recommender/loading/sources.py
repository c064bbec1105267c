"""Order files as rows: CSV, Parquet and XLSX, read a piece at a time."""

import csv
import hashlib
import itertools
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl.utils.exceptions import InvalidFileException

BATCH_ROWS = 20_000
_DELIMITERS = ",;\t|"

_BROKEN = (
    csv.Error,
    pa.ArrowException,
    zipfile.BadZipFile,
    zlib.error,
    ET.ParseError,
    InvalidFileException,
    KeyError,  # a part that a spreadsheet must have
)

# The number of a row in its file, as an editor or a spreadsheet shows it, and its cells.
Row = tuple[int, tuple[object, ...]]


class SourceError(Exception):
    """A file that cannot be read as a table."""


@dataclass(frozen=True)
class Table:
    """A file's column names and its rows, which are read while one iterates."""

    header: tuple[str, ...]
    rows: Iterator[Row]
    row_count: int | None = None  # None: only known after reading


def open_table(path: Path, encoding: str = "utf-8-sig") -> Table:
    """The table in a file; fails with a SourceError that names the file, here or while reading."""
    readers = {".csv": _csv_table, ".parquet": _parquet_table, ".xlsx": _xlsx_table}
    if path.suffix.lower() not in readers:
        raise SourceError(f"{path} must be a .csv, .parquet or .xlsx file, by its name.")
    if not path.is_file():
        raise SourceError(f"There is no file {path}.")
    with _named_errors(path):
        table = readers[path.suffix.lower()](path, encoding)
    if not any(table.header):
        raise SourceError(f"{path} has no line of column names.")
    return Table(table.header, _guarded(path, table.rows), table.row_count)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Make what the three libraries raise for a broken file one error that names the file."""
    try:
        yield
    except _BROKEN as error:
        raise SourceError(f"{path} is broken: {error}.") from error
    except (UnicodeError, LookupError) as error:
        raise SourceError(
            f"{path} cannot be decoded ({error}); name its encoding, as in --encoding cp1252."
        ) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error}.") from error


def _guarded(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    with _named_errors(path):
        yield from rows


def _csv_table(path: Path, encoding: str) -> Table:
    rows = _csv_rows(path, encoding)
    _, header = next(rows, (0, ()))
    return Table(tuple(str(name).strip() for name in header), rows)


def _csv_rows(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(itertools.chain([first], file), delimiter=delimiter)
        for cells in reader:
            if cells:  # an empty line is no row
                yield reader.line_num, tuple(cells)


def _parquet_table(path: Path, _encoding: str) -> Table:
    file = pq.ParquetFile(path)
    names = tuple(file.schema_arrow.names)
    return Table(names, _parquet_rows(file), file.metadata.num_rows)


def _parquet_rows(file: pq.ParquetFile) -> Iterator[Row]:
    number = itertools.count(1)
    for batch in file.iter_batches(batch_size=BATCH_ROWS):
        columns = [_plain(column).to_pylist() for column in batch.columns]
        yield from zip(number, zip(*columns, strict=True), strict=False)
    file.close()


def _plain(column: pa.Array) -> pa.Array:
    """Times in microseconds: Python has none finer."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column


def _xlsx_table(path: Path, _encoding: str) -> Table:
    rows = _xlsx_rows(path)
    _, first = next(rows, (0, ()))
    header = tuple("" if name is None else str(name).strip() for name in _until_empty(first))
    return Table(header, ((number, _padded(cells, len(header))) for number, cells in rows))


def _xlsx_rows(path: Path) -> Iterator[Row]:
    """The rows of the first sheet, without those that hold nothing."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            if any(cell is not None for cell in cells):
                yield number, cells
    finally:
        book.close()


def _until_empty(cells: tuple[object, ...]) -> tuple[object, ...]:
    """The cells without the empty ones at the end, which a sheet keeps or leaves out at will."""
    filled = [place for place, cell in enumerate(cells, start=1) if cell is not None]
    return cells[: filled[-1]] if filled else ()


def _padded(cells: tuple[object, ...], width: int) -> tuple[object, ...]:
    filled = _until_empty(cells)
    return filled + (None,) * (width - len(filled))
