"""The data set is taken from where it is nearest, and only when it is complete."""

import io
import shutil
import zipfile
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from urllib.error import URLError

import openpyxl
import pytest

from services.recommender.loading.online_retail import (
    COMPLETE,
    SCHEMA,
    URL,
    Content,
    content_of,
    obtain,
    write_parquet,
)
from services.recommender.loading.sources import SourceError, open_table

AT = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - as the data set has it
ROWS: list[dict[str, object]] = [
    {
        "InvoiceNo": f"{'C' if n == 4 else ''}{536365 + n // 2}",
        "StockCode": "85123A" if n % 2 else "71053",
        "Description": None if n == 3 else "WHITE METAL LANTERN",
        "Quantity": -1 if n == 4 else 6,
        "InvoiceDate": AT + timedelta(minutes=n),
        "UnitPrice": 2.5,
        "CustomerID": None if n == 5 else "17850",
        "Country": "United Kingdom",
    }
    for n in range(6)
]
EXPECTED = Content(rows=6, invoices=4, total_value=72.5)


class Publisher:
    """A publisher that gives one answer, or is away, and counts who asks."""

    def __init__(self, answer: bytes | OSError) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, url: str, timeout_s: float) -> AbstractContextManager[IO[bytes]]:
        self.asked.append(url)
        if isinstance(self.answer, OSError):
            raise self.answer
        return io.BytesIO(self.answer)


AWAY = URLError("no network here")


def as_spreadsheet(path: Path) -> Path:
    """The rows as the publisher types them: codes and customers are numbers where they can be."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(SCHEMA.names)
    for row in ROWS:
        cells = row.values()
        book.worksheets[0].append(
            [int(c) if isinstance(c, str) and c.isdigit() else c for c in cells]
        )
    book.save(path)
    return path


def as_archive(path: Path) -> Path:
    sheet = as_spreadsheet(path.with_suffix(".xlsx"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(sheet, "Online Retail.xlsx")
    sheet.unlink()
    return path


def take(
    tmp_path: Path, publisher: Publisher, data_dir: Path | None = None
) -> tuple[Path, list[str]]:
    told: list[str] = []
    file = obtain(data_dir, tmp_path / "cache", told.append, publisher, EXPECTED)
    return file, told


def rows_of(file: Path) -> list[dict[str, object]]:
    table = open_table(file)
    return [dict(zip(table.header, cells, strict=True)) for _, cells in table.rows]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "data" / "online_retail").mkdir(parents=True)
    return tmp_path / "data"


def test_parquet_in_the_data_folder_is_used_where_it_is(tmp_path: Path, data_dir: Path) -> None:
    file = data_dir / "online_retail" / "online_retail.parquet"
    write_parquet(ROWS, file)
    publisher = Publisher(AWAY)

    assert take(tmp_path, publisher, data_dir) == (file, [])
    assert not publisher.asked


@pytest.mark.parametrize("name", ["Online Retail.xlsx", "online+retail.zip", "OnlineRetail.csv"])
def test_other_formats_in_the_data_folder_are_converted_once(
    tmp_path: Path, data_dir: Path, name: str
) -> None:
    if name.endswith(".zip"):
        as_archive(data_dir / name)
    elif name.endswith(".xlsx"):
        as_spreadsheet(data_dir / name)
    else:
        as_csv(data_dir / name)
    publisher = Publisher(AWAY)

    file, _ = take(tmp_path, publisher, data_dir)

    assert file == tmp_path / "cache" / "online_retail" / "online_retail.parquet"
    assert rows_of(file) == ROWS
    assert take(tmp_path, publisher, data_dir) == (file, [])
    assert [file] == list(file.parent.iterdir())


def as_csv(path: Path) -> None:
    lines = [",".join("" if v is None else str(v) for v in row.values()) for row in ROWS]
    path.write_text("\n".join([",".join(SCHEMA.names), *lines]))


def test_the_publisher_is_asked_last_and_once(tmp_path: Path) -> None:
    publisher = Publisher(as_archive(tmp_path / "a.zip").read_bytes())

    first, told = take(tmp_path, publisher)
    second, _ = take(tmp_path, publisher)

    assert first == second
    assert rows_of(first) == ROWS
    assert publisher.asked == [URL]
    assert told[0] == f"Downloading {URL}"


def test_without_a_network_the_reason_is_given(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be downloaded: .*no network here"):
        take(tmp_path, Publisher(AWAY))


@pytest.mark.parametrize("answer", [b"<html>Please log in</html>", b""])
def test_an_answer_that_is_no_archive_leaves_nothing_behind(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be unpacked"):
        take(tmp_path, Publisher(answer))

    assert not list((tmp_path / "cache" / "online_retail").iterdir())


def test_a_part_of_the_data_is_told_and_passed_over(tmp_path: Path, data_dir: Path) -> None:
    write_parquet(ROWS[:5], data_dir / "online_retail.parquet")
    publisher = Publisher(as_archive(tmp_path / "a.zip").read_bytes())

    file, told = take(tmp_path, publisher, data_dir)

    assert rows_of(file) == ROWS
    assert "is not the complete Online Retail: it has 5 rows, 3 invoices" in told[0]


def test_a_broken_file_is_told_and_passed_over(tmp_path: Path, data_dir: Path) -> None:
    (data_dir / "Online Retail.xlsx").write_bytes(b"PK\x03\x04")
    (data_dir / "online_retail.parquet").write_bytes(b"PAR1")

    with pytest.raises(SourceError, match="cannot be downloaded"):
        take(tmp_path, Publisher(AWAY), data_dir)


def test_one_changed_price_is_noticed(tmp_path: Path) -> None:
    write_parquet([ROWS[0] | {"UnitPrice": 2.51}, *ROWS[1:]], tmp_path / "a.parquet")

    assert not content_of(tmp_path / "a.parquet").same_as(EXPECTED)


def test_a_float_sum_in_another_order_is_the_same_content() -> None:
    other = Content(COMPLETE.rows, COMPLETE.invoices, COMPLETE.total_value + 1e-6)

    assert other.same_as(COMPLETE)


def test_the_data_folder_may_be_missing(tmp_path: Path) -> None:
    publisher = Publisher(as_archive(tmp_path / "a.zip").read_bytes())

    file, _ = take(tmp_path, publisher, tmp_path / "nowhere")
    shutil.rmtree(file.parent)

    assert take(tmp_path, publisher, tmp_path / "nowhere")[0] == file
