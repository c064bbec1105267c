"""The command's answers to input that is wrong, before it needs a database."""

from pathlib import Path

import pytest

from services.recommender.load import main


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("POSTGRES_URL", "")


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text("Order,SKU\n")
    return file


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("", "The file has no column 'InvoiceNo' for order_id; its columns are Order, SKU."),
        ("sku=SKU", "'sku' in the mapping is not a field"),
        ("order_id=Order,item_id=Item", "The file has no column 'Item' for item_id"),
    ],
)
def test_a_wrong_mapping_gets_one_sentence(
    orders: Path, mapping: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--orders", str(orders), "--mapping", mapping]) == 2

    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(sentence)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("none.csv", "There is no file"), ("orders.ods", "must be a .csv, .parquet or .xlsx file")],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(
    tmp_path: Path, name: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--orders", str(tmp_path / name)]) == 2

    assert sentence in capsys.readouterr().err


def test_a_mapping_without_a_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--mapping", "order_id=Order"])

    assert "name it with --orders FILE" in capsys.readouterr().err


def test_without_a_database_the_way_to_one_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1

    assert "start one with `make demo` or set POSTGRES_URL" in capsys.readouterr().err


def test_a_database_that_does_not_answer_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTGRES_URL", "postgresql://127.0.0.1:1/none")

    assert main([]) == 1

    err = capsys.readouterr().err
    assert "Connection refused" in err
    assert err.count("\n") == 1
