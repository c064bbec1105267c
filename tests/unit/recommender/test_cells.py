"""One cell means the same in CSV, Parquet and a spreadsheet."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from services.recommender.loading.cells import id_text, number, one_line, utc

NINE = datetime(2011, 5, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("value", [12346, 12346.0, "12346", " 12346 ", "12346.0", Decimal(12346)])
def test_an_id_is_the_same_text_however_it_is_typed(value: object) -> None:
    assert id_text(value) == "12346"


@pytest.mark.parametrize("value", [None, "", "  ", math.nan])
def test_an_empty_cell_has_no_id(value: object) -> None:
    assert id_text(value) == ""


def test_an_id_with_a_real_decimal_stays() -> None:
    assert id_text("v1.0") == "v1.0"
    assert id_text(12.5) == "12.5"


@pytest.mark.parametrize(
    "value",
    [
        NINE,
        datetime(2011, 5, 2, 9),  # noqa: DTZ001 - what files hold
        "2011-05-02 09:00:00",
        "2011-05-02T09:00",
        "2011-05-02T11:00:00+02:00",
        datetime(2011, 5, 2, 11, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_time_without_a_zone_is_taken_as_utc(value: object) -> None:
    assert utc(value) == NINE
    assert utc(value).tzinfo is UTC


def test_a_date_is_its_midnight() -> None:
    assert utc(date(2011, 5, 2)) == datetime(2011, 5, 2, tzinfo=UTC)


def test_a_time_format_reads_what_iso_does_not() -> None:
    assert utc("02/05/2011 09:00", "%d/%m/%Y %H:%M") == NINE


@pytest.mark.parametrize("value", ["02/05/2011", "", None, 40_000, "soon"])
def test_what_is_no_time_is_an_error(value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        utc(value)


@pytest.mark.parametrize("value", ["1_0", "", None, True, "one", "1,5", NINE])
def test_what_is_no_number_is_not_a_number(value: object) -> None:
    assert math.isnan(number(value))


@pytest.mark.parametrize("value", [2.5, "2.5", " 2.50 ", Decimal("2.5")])
def test_a_number_is_the_same_however_it_is_typed(value: object) -> None:
    assert number(value) == 2.5


def test_text_is_brought_onto_one_line() -> None:
    assert one_line(" TEA \n\t CUP\x00\ud800 ") == "TEA CUP"
