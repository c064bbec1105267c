"""The UCI Online Retail data set: found on this machine or fetched from its publisher, and checked.

Daqing Chen, "Online Retail", UCI Machine Learning Repository, 2015, doi:10.24432/C5BW33, CC BY 4.0.
"""

import shutil
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPException
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.recommender.loading.cells import id_text, number, one_line, utc
from services.recommender.loading.columns import ONLINE_RETAIL_COLUMNS
from services.recommender.loading.sources import BATCH_ROWS, Row, SourceError, open_table

URL = "https://archive.ics.uci.edu/static/public/352/online+retail.zip"
TIMEOUT_S = 60
PIECE_BYTES = 4 << 20
TOLD_ROWS = 100_000
SUFFIXES = (".parquet", ".csv", ".xlsx", ".zip")
SCHEMA = pa.schema(
    {
        "InvoiceNo": pa.string(),
        "StockCode": pa.string(),
        "Description": pa.string(),
        "Quantity": pa.int64(),
        "InvoiceDate": pa.timestamp("us"),
        "UnitPrice": pa.float64(),
        "CustomerID": pa.string(),
        "Country": pa.string(),
    }
)

Opener = Callable[[str, float], AbstractContextManager[IO[bytes]]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Content:
    """What tells the complete data set from any other, whatever the file format."""

    rows: int
    invoices: int
    total_value: float

    def same_as(self, other: "Content") -> bool:
        counts = (self.rows, self.invoices) == (other.rows, other.invoices)
        return counts and abs(self.total_value - other.total_value) < 0.01

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.invoices:,} invoices, a total of {self.total_value:,.2f}"


COMPLETE = Content(rows=541_909, invoices=25_900, total_value=9_747_747.934)


def open_url(url: str, timeout_s: float) -> AbstractContextManager[IO[bytes]]:
    response: AbstractContextManager[IO[bytes]] = urllib.request.urlopen(url, timeout=timeout_s)  # noqa: S310
    return response


def obtain(
    data_dir: Path | None,
    cache: Path,
    tell: Tell,
    opener: Opener = open_url,
    expected: Content = COMPLETE,
) -> Path:
    """A Parquet file that holds the complete data set; what is done for it goes to `tell`.

    Looks for Parquet in `data_dir` and `cache`, then for other formats in `data_dir`, then asks the
    publisher; what is not Parquet is converted into `cache`. A file with other content is told and
    passed over. Fails with a SourceError when nothing is left.
    """
    cached = cache / "online_retail" / "online_retail.parquet"
    in_data_dir = list(candidates(data_dir)) if data_dir else []
    for file in sorted([*in_data_dir, cached], key=lambda file: file.suffix != ".parquet"):
        if not file.exists():
            continue
        try:
            return _checked(file, cached, tell, expected)
        except SourceError as error:
            tell(f"{error} It is not used.")
    cached.parent.mkdir(parents=True, exist_ok=True)
    archive = cached.with_suffix(".zip")
    try:
        download(URL, archive, tell, opener)
        return _checked(archive, cached, tell, expected)
    finally:
        archive.unlink(missing_ok=True)


def candidates(data_dir: Path) -> Iterator[Path]:
    """Files in `data_dir` and `data_dir/online_retail` that are called Online Retail, however."""
    for folder in (data_dir / "online_retail", data_dir):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        for suffix in SUFFIXES:
            yield from (file for file in files if _is_called(file, suffix))


def _is_called(file: Path, suffix: str) -> bool:
    letters = "".join(filter(str.isalpha, file.stem.lower()))
    return letters == "onlineretail" and file.suffix.lower() == suffix


def content_of(file: Path) -> Content:
    """Count what is in a Parquet file of the data set; fails with a SourceError if it is none."""
    try:
        table = pq.read_table(file, columns=["InvoiceNo", "Quantity", "UnitPrice"])
        value = pc.sum(pc.multiply(table["Quantity"], table["UnitPrice"])).as_py()
        invoices = pc.count_distinct(table["InvoiceNo"]).as_py()
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file} cannot be read as Online Retail: {error}.") from error
    return Content(table.num_rows, invoices, value or 0.0)


def download(url: str, target: Path, tell: Tell, opener: Opener) -> None:
    """Fetch `url` into `target`; fails with a SourceError that says why it cannot be had."""
    tell(f"Downloading {url}")
    try:
        with opener(url, TIMEOUT_S) as response, target.open("wb") as file:
            while piece := response.read(PIECE_BYTES):
                file.write(piece)
                tell(f"  {file.tell() / 1e6:.1f} MB")
    except (OSError, HTTPException) as error:
        raise SourceError(f"{url} cannot be downloaded: {error}.") from error


def _checked(file: Path, cached: Path, tell: Tell, expected: Content) -> Path:
    parquet = file if file.suffix == ".parquet" else cached.with_suffix(".part")
    if parquet is not file:
        cached.parent.mkdir(parents=True, exist_ok=True)
        tell(f"Converting {file.name} to Parquet; this is done once and takes about a minute")
    try:
        if parquet is not file:
            _convert(file, parquet, tell)
        content = content_of(parquet)
        if not content.same_as(expected):
            raise SourceError(f"{file} is not the complete Online Retail: it has {content}.")
        return parquet if parquet is file else parquet.replace(cached)
    finally:
        if parquet is not file:
            parquet.unlink(missing_ok=True)


def _convert(file: Path, parquet: Path, tell: Tell) -> None:
    sheet = parquet.with_suffix(".xlsx") if file.suffix.lower() == ".zip" else file
    try:
        if sheet is not file:
            _unpack(file, sheet)
        write_parquet(_records(sheet, tell), parquet)
    finally:
        if sheet is not file:
            sheet.unlink(missing_ok=True)


def _unpack(archive: Path, target: Path) -> None:
    """The one spreadsheet of the publisher's archive."""
    try:
        with zipfile.ZipFile(archive) as files:
            name = next((n for n in files.namelist() if n.lower().endswith(".xlsx")), None)
            if name is None:
                raise SourceError(f"{archive} holds no .xlsx file.")
            with files.open(name) as packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{archive} cannot be unpacked: {error}.") from error


def _records(file: Path, tell: Tell) -> Iterator[dict[str, object]]:
    table = open_table(file)
    missing = [name for name in ONLINE_RETAIL_COLUMNS.values() if name not in table.header]
    if missing:
        raise SourceError(f"{file} lacks the columns {', '.join(missing)} of Online Retail.")
    for count, row in enumerate(table.rows, start=1):
        if count % TOLD_ROWS == 0:
            tell(f"  {count:,} rows")
        try:
            yield _record(table.header, row)
        except (ValueError, OverflowError) as error:
            raise SourceError(f"{file}, row {row[0]}, is not of Online Retail: {error}.") from error


def _record(header: tuple[str, ...], row: Row) -> dict[str, object]:
    cells = dict(zip(header, row[1], strict=True))
    return {
        "InvoiceNo": id_text(cells["InvoiceNo"]),
        "StockCode": id_text(cells["StockCode"]),
        "Description": one_line(cells["Description"]) or None,
        "Quantity": int(number(cells["Quantity"])),
        "InvoiceDate": utc(cells["InvoiceDate"]).replace(tzinfo=None),
        "UnitPrice": number(cells["UnitPrice"]),
        "CustomerID": id_text(cells["CustomerID"]) or None,
        "Country": one_line(cells["Country"]) or None,
    }


def write_parquet(records: Iterable[dict[str, object]], target: Path) -> None:
    """Write rows of the data set, a batch at a time."""
    rows = iter(records)
    with pq.ParquetWriter(target, SCHEMA, compression="zstd") as writer:
        while batch := list(islice(rows, BATCH_ROWS)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=SCHEMA))
