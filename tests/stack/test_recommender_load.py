"""Orders in a real database: complete, once, and whole after a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from services.recommender.loading.ledger import LoadError, one_load_at_a_time
from tests.stack.loaded import COLUMNS, DEADLINE_S, PAUSING_LOAD, TABLES, Row, Shop, orders, write
from tests.waiting import until


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Shop:
    return Shop(database_url, tmp_path / "var")


@pytest.fixture
def real_file() -> Path:
    folder = Path(os.environ.get("DATA_DIR", "nowhere"))
    file = folder / "online_retail" / "online_retail.parquet"
    if not file.is_file():
        pytest.skip("DATA_DIR has no online_retail/online_retail.parquet")
    return file


def test_the_complete_online_retail_is_loaded(shop: Shop, real_file: Path) -> None:
    printed = shop.load()

    assert "rows                                  541,909" in printed
    counts = [shop.one(f"select count(*) from {table}") for table in TABLES[:4]]
    assert counts == [3_791, 4_334, 19_773, 527_725]
    assert len(shop.rejects()) == 1 + 541_909 - 527_725
    assert shop.one("select sum(quantity) from order_line") == clean_quantity(real_file)
    assert shop.one("select sum(times) from purchase") == shop.one(
        "select count(*) from order_line join orders using (order_id) where customer_id <> ''"
    )
    assert shop.one("select title from item where item_id = '85123A'") == (
        "WHITE HANGING HEART T-LIGHT HOLDER"
    )
    assert 40 <= shop.one("select count(distinct category) from item") <= 250
    assert shop.one("select count(*) from item where category = 'other'") < 0.15 * 3_791
    assert shop.one("select count(*) from popularity where scope = ''") == 3_791
    assert "Nothing to load" in shop.load()


def clean_quantity(file: Path) -> int:
    """The units in all clean lines, counted by Arrow instead of row by row."""
    table = pq.read_table(file)
    clean = (
        (pc.field("Quantity") > 0)
        & (pc.field("UnitPrice") > 0)
        & ~pc.starts_with(pc.field("InvoiceNo"), "C")
        & pc.match_substring_regex(pc.field("StockCode"), r"^\d{5}[A-Za-z]{0,2}$")
    )
    units: int = pc.sum(table.filter(clean)["Quantity"]).as_py()
    return units


def test_a_shop_loads_its_own_orders_under_its_own_names(shop: Shop, tmp_path: Path) -> None:
    header = ("id", "sku", "name", "n", "at", "paid", "who", "land", "kind", "left")
    rows: list[Row] = [
        ("A-1", "TEE-RED", "Red tee", 2, "02/05/2011 09:00", "10", "ann", "Chile", "tees", 7),
        ("A-1", "TEE-RED", "Red tee", 1, "02/05/2011 09:00", "12", "ann", "Chile", "tees", 5),
        ("A-2", "100XS", "damaged", 1, "03/05/2011 09:00", "4", "", "", "", ""),
        ("A-3", "100XS", "Small hat", 1, "04/05/2011 09:00", "5", "ann", "Peru", "", ""),
        ("A-4", "100XS", "Small hat", "some", "04/05/2011 09:00", "5", "bob", "Peru", "", ""),
    ]
    file = write(tmp_path / "own.csv", rows, header)
    mapping = (
        "order_id=id,item_id=sku,title=name,quantity=n,ordered_at=at,unit_price=paid,"
        "customer_id=who,country=land,category=kind,stock=left"
    )
    time_format = ("--time-format", "%d/%m/%Y %H:%M")

    printed = shop.load("--orders", file, "--mapping", mapping, *time_format)

    assert "has no stock" not in printed
    items = "select item_id, family_id, category, title, price::float, stock from item order by 1"
    assert shop.all(items) == [
        ("100XS", "100", "other", "Small hat", 4.0, 1000),
        ("TEE-RED", "TEE-RED", "tees", "Red tee", 10.0, 5),
    ]
    assert shop.all("select customer_id, country from customer") == [("ann", "Chile")]
    assert shop.all("select order_id, customer_id from orders order by 1") == [
        ("A-1", "ann"), ("A-2", None), ("A-3", "ann"),
    ]  # fmt: skip
    assert shop.all("select item_id, times from purchase order by 1") == [
        ("100XS", 1), ("TEE-RED", 2),
    ]  # fmt: skip
    first_sale = "select created_at at time zone 'UTC' from item where item_id = '100XS'"
    assert str(shop.one(first_sale)) == "2011-05-03 09:00:00"
    assert shop.rejects()[1][:3] == [
        "6",
        shop.one("select jsonb_object_keys(rejected) from data_load"),
        "A-4",
    ]


def test_loading_a_file_again_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", orders(range(1, 20)))
    shop.load("--orders", file)
    before = shop.content()

    assert "Nothing changed" in shop.load("--orders", file)
    assert shop.content() == before
    assert "Nothing to load, the database has orders.csv." in shop.load("--if-missing")


def test_overlapping_files_in_any_order_equal_one_file(shop: Shop, tmp_path: Path) -> None:
    early = write(tmp_path / "early.csv", orders(range(1, 20)))
    late = write(tmp_path / "late.csv", orders(range(10, 30)))
    whole = write(tmp_path / "whole.csv", orders(range(1, 30)))
    contents = []
    for files in ([early, late], [late, early], [whole]):
        for file in files:
            shop.load("--orders", file)
        contents.append(shop.content())
        shop.empty()

    assert contents[0] == contents[1] == contents[2]


def test_a_killed_load_goes_on_and_ends_as_if_it_had_not_been(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", orders(range(1, 100)))
    killed_in_its_fourth_chunk(shop, file)
    assert shop.one("select rows_done from data_load") == 120

    shop.load("--orders", file)
    resumed, resumed_rejects = shop.content(), shop.rejects()
    ledger = "select rows_done, lines_new, lines_known, rejected, reject_bytes from data_load"
    resumed_ledger = shop.all(ledger)
    shop.empty()
    shop.load("--orders", file)

    assert resumed == shop.content()
    assert resumed_rejects == shop.rejects()
    assert resumed_ledger == shop.all(ledger)


def killed_in_its_fourth_chunk(shop: Shop, file: Path) -> None:
    """Kill a load that has written all of a chunk, the reject file too, but not committed it."""
    command = [sys.executable, "-c", PAUSING_LOAD, shop.url, str(file), str(shop.state_dir)]
    with (
        psycopg.connect(shop.url) as connection,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load,
    ):
        assert load.stdin is not None
        assert load.stdout is not None
        assert load.stdout.readline() == "three chunks\n"
        connection.execute("select from data_load for update")
        load.stdin.write("\n")
        load.stdin.flush()
        waiting = (
            "select count(*) from pg_stat_activity "
            "where application_name = 'pausing' and wait_event_type = 'Lock'"
        )
        until(lambda: shop.one(waiting) == 1, DEADLINE_S)
        load.send_signal(signal.SIGKILL)
        load.wait(DEADLINE_S)


def test_a_reject_file_that_was_lost_is_written_anew(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", orders(range(1, 100)))
    killed_in_its_fourth_chunk(shop, file)
    for rejects in (shop.state_dir / "recommender").iterdir():
        rejects.unlink()

    printed = shop.load("--orders", file)

    assert "known from another load" in printed
    assert len(shop.rejects()) == 1 + 19


def test_an_order_id_that_is_used_again_is_rejected_not_mixed(shop: Shop, tmp_path: Path) -> None:
    shop.load("--orders", write(tmp_path / "january.csv", orders([1, 2])))
    before = shop.content()
    february = [(1, "20002", "RUG", 1, "2011-02-20", 9, "600", "France")]
    file = write(tmp_path / "february.csv", [*february, *orders([4])])

    printed = shop.load("--orders", file)

    assert "order id belongs to another order" in printed
    assert shop.one("select count(*) from item where item_id = '20002'") == 0
    assert shop.all("select order_id from orders order by 1") == [("1",), ("2",), ("4",)]
    assert set(before["order_line"]) < set(shop.content()["order_line"])


def test_a_file_without_a_clean_line_can_be_loaded_again(shop: Shop, tmp_path: Path) -> None:
    rows: list[Row] = [(1, "10001", "BAG", 1, "31.12.2010", 2, "", "France")]
    file = write(tmp_path / "orders.csv", rows)

    printed = shop.load("--orders", file, status=1)

    assert "None of the 1 rows" in printed
    assert "time is not a date and time" in printed
    assert "loaded" in shop.load("--orders", file, "--time-format", "%d.%m.%Y")


def test_a_newer_file_brings_the_stock_of_today(shop: Shop, tmp_path: Path) -> None:
    for name, stock in (("monday", 5), ("tuesday", 0)):
        row = ("1", "10001", "BAG", 1, "2011-01-01", 2, "", "France", stock)
        file = write(tmp_path / f"{name}.csv", [row], (*COLUMNS, "Left"))
        shop.load("--orders", file, "--mapping", "stock=Left")

    assert shop.one("select stock from item") == 0
    assert shop.one("select count(*) from order_line") == 1


def test_one_load_at_a_time(shop: Shop) -> None:
    with (
        psycopg.connect(shop.url, autocommit=True) as first,
        psycopg.connect(shop.url, autocommit=True) as second,
    ):
        with (
            one_load_at_a_time(first),
            pytest.raises(LoadError, match="Another load runs"),
            one_load_at_a_time(second, wait_s=0.1),
        ):
            pass
        with one_load_at_a_time(second, wait_s=0.1):
            pass


def test_offline_the_orders_are_generated_and_it_is_said_loudly(shop: Shop, tmp_path: Path) -> None:
    offline = {
        "DATA_DIR": "",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "https_proxy": "",
        "NO_PROXY": "",
    }

    printed = shop.load(environment=offline)

    assert "THE ORDERS ARE GENERATED, NOT REAL" in printed
    assert "set DATA_DIR to that folder" in printed
    assert shop.one("select count(*) from item") > 2_000
    assert "Nothing to load, the database has generated orders." in shop.load("--if-missing")
    own = write(tmp_path / "own.csv", orders([1]))
    assert "does not go together" in shop.load("--orders", own, status=1)
