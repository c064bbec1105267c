"""Files of three formats become the same rows, and a broken one a sentence."""

import csv
from datetime import datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.recommender.loading.sources import SourceError, Table, open_table, sha256_of

HEADER = ("order", "when", "price", "note")
AT = datetime(2011, 1, 4, 10, 30)  # noqa: DTZ001 - what files hold
ROWS = [("1", AT, 2.5, "a, b"), ("2", AT, 3.0, None)]


def as_csv(path: Path) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *ROWS])
    return path


def as_parquet(path: Path) -> Path:
    rows = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def as_xlsx(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (HEADER, *ROWS):
        sheet.append(list(row))
    book.save(path)
    return path


def read(path: Path) -> tuple[Table, list[tuple[int, tuple[object, ...]]]]:
    table = open_table(path)
    return table, list(table.rows)


def test_csv_gives_text_with_the_line_numbers_of_an_editor(tmp_path: Path) -> None:
    table, rows = read(as_csv(tmp_path / "a.csv"))

    assert table.header == HEADER
    assert rows == [(2, ("1", str(AT), "2.5", "a, b")), (3, ("2", str(AT), "3.0", ""))]


def test_parquet_gives_typed_values_and_says_how_many(tmp_path: Path) -> None:
    table, rows = read(as_parquet(tmp_path / "a.parquet"))

    assert (table.header, table.row_count) == (HEADER, 2)
    assert rows == [(1, ROWS[0]), (2, ROWS[1])]


def test_a_spreadsheet_gives_typed_values_with_its_row_numbers(tmp_path: Path) -> None:
    table, rows = read(as_xlsx(tmp_path / "a.XLSX"))

    assert table.header == HEADER
    assert rows == [(2, ROWS[0]), (3, ROWS[1])]


def test_nanoseconds_in_parquet_become_microseconds(tmp_path: Path) -> None:
    column = pa.array([1_294_137_000_000_000_001], pa.timestamp("ns"))
    pq.write_table(pa.table({"when": column}), tmp_path / "a.parquet")

    assert read(tmp_path / "a.parquet")[1] == [(1, (AT,))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_file_may_use_any_usual_delimiter(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "a.csv").write_text(f"a{delimiter}b\n1{delimiter}2\n")

    assert read(tmp_path / "a.csv")[1] == [(2, ("1", "2"))]


def test_line_breaks_inside_quotes_and_empty_lines_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b\n"1\n1",2\n\n3\n')

    assert read(tmp_path / "a.csv")[1] == [(3, ("1\n1", "2")), (5, ("3",))]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffa,b\n".encode())

    assert open_table(tmp_path / "a.csv").header == ("a", "b")


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("a\n£5\n".encode("cp1252"))

    assert list(open_table(tmp_path / "a.csv", "cp1252").rows) == [(2, ("£5",))]
    with pytest.raises(SourceError, match=r"cannot be decoded .* --encoding cp1252"):
        read(tmp_path / "a.csv")


def test_an_encoding_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="unknown encoding: klingon"):
        open_table(as_csv(tmp_path / "a.csv"), "klingon")


def test_empty_rows_and_cells_around_a_sheet_do_not_count(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [("a", "b", None), ("1", None, None), (None, None, None), ("2", "3", "4")]:
        book.worksheets[0].append(row)
    book.save(tmp_path / "a.xlsx")

    table, rows = read(tmp_path / "a.xlsx")

    assert table.header == ("a", "b")
    assert rows == [(2, ("1", None)), (4, ("2", "3", "4"))]


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_a_broken_file_is_named(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"orders{suffix}"
    file.write_bytes(b"PK\x03\x04 not really")

    with pytest.raises(SourceError, match=rf"orders{suffix} is broken"):
        read(file)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.csv", "There is no file .*none.csv"),
        ("orders.json", "must be a .csv, .parquet or .xlsx file"),
        ("empty.csv", "has no line of column names"),
    ],
)
def test_a_file_that_is_no_table_gets_a_sentence(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "orders.json").touch()
    (tmp_path / "empty.csv").touch()

    with pytest.raises(SourceError, match=sentence):
        open_table(tmp_path / name)


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    first, second = as_csv(tmp_path / "a.csv"), as_csv(tmp_path / "b.csv")
    assert sha256_of(first) == sha256_of(second)

    second.write_text("other")
    assert sha256_of(first) != sha256_of(second)
