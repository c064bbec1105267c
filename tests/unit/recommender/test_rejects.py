"""The reject file keeps in step with what the database has."""

import csv
from pathlib import Path

from services.recommender.loading.orders import Reason
from services.recommender.loading.rejects import RejectFile

HEADER = ("InvoiceNo", "Quantity")
FIRST = ((2, ("C1", -1)), Reason.CANCELLED)
SECOND = ((9, ("2", None)), Reason.QUANTITY)


def lines(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_each_row_has_its_number_reason_and_original_cells(tmp_path: Path) -> None:
    path = tmp_path / "state" / "rejects.csv"
    with RejectFile(path, HEADER, 0) as rejects:
        rejects.write([FIRST, SECOND])

    assert lines(path) == [
        ["line", "reason", "InvoiceNo", "Quantity"],
        ["2", "cancelled order", "C1", "-1"],
        ["9", Reason.QUANTITY.value, "2", ""],
    ]


def test_what_was_written_after_the_last_finished_chunk_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectFile(path, HEADER, 0) as rejects:
        rejects.write([FIRST])
        kept = rejects.sync()
        rejects.write([SECOND, SECOND])
    with RejectFile(path, HEADER, kept) as rejects:
        rejects.write([SECOND])

    assert [line[0] for line in lines(path)] == ["line", "2", "9"]


def test_a_new_load_forgets_an_older_file(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("from an earlier load\n")
    with RejectFile(path, HEADER, 0) as rejects:
        rejects.write([FIRST])

    assert len(lines(path)) == 2


def test_without_rejected_rows_there_is_no_file(tmp_path: Path) -> None:
    with RejectFile(tmp_path / "rejects.csv", HEADER, 0) as rejects:
        assert rejects.sync() == 0

    assert not (tmp_path / "rejects.csv").exists()


def test_text_that_no_file_can_hold_is_written_escaped(tmp_path: Path) -> None:
    with RejectFile(tmp_path / "rejects.csv", HEADER, 0) as rejects:
        rejects.write([((2, ("\ud800", 1)), Reason.ORDER_ID)])

    assert lines(tmp_path / "rejects.csv")[1][2] == r"\ud800"
