"""The item's page in a real browser, over a small shop in a real database."""

import re
from collections.abc import Iterator

import httpx2
import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.stack.browser import browsing, needs_chromium
from tests.stack.shop import SmallShop, Thing, open_shop, plain_shop, serving, wire_to
from tests.waiting import until

pytestmark = needs_chromium

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    """The recommender over twelve items; the customer `c` has bought i11."""
    shop = plain_shop()
    open_shop(database_url, SmallShop(shop.things, bought=("i11",), neighbours=shop.neighbours))
    with serving(database_url) as url:
        until(lambda: httpx2.get(f"{url}/readyz").status_code == 200, 60)
        yield url


def cards(page: Page) -> list[str]:
    """The items of the five cards, once they are there."""
    expect(page.locator("#five-items .card[data-item]")).to_have_count(5)
    expect(page.locator("#five-items")).to_have_attribute("aria-busy", "false")
    shown = page.locator("#five-items .card").evaluate_all("all => all.map(c => c.dataset.item)")
    return [str(item) for item in shown]


def test_an_items_page_ends_with_five_cards_that_say_why(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00")

        assert len(set(cards(page)) - {"i00"}) == 5
        expect(page.locator("h1#product-title")).to_have_text("i00")
        expect(page.locator("#five-items .why")).to_have_text(["Often bought together"] * 5)
        assert page.locator("#product-picture svg *").count() > 3


def test_a_customers_cards_name_a_purchase(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00?customer_id=c")
        cards(page)

        expect(page.locator("#lately-title")).to_have_text("Customer c bought lately")
        expect(page.locator("#five-items .why").first).to_contain_text("you bought i11")


def test_buying_one_of_the_five_replaces_it_at_once(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00?customer_id=c")
        first = cards(page)[0]

        page.get_by_role("button", name=f"Buy {first}", exact=True).click()

        expect(page.locator("#status")).to_contain_text(f"Bought {first}")
        expect(page.locator(f'#five-items .card[data-item="{first}"]')).to_have_count(0)
        assert len(cards(page)) == 5
        expect(page.locator("#lately-items a").first).to_have_attribute("aria-label", first)


def test_the_keyboard_goes_on_from_where_something_was_bought(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00?customer_id=c")
        first = cards(page)[0]

        page.get_by_role("button", name=f"Buy {first}", exact=True).press("Enter")
        expect(page.locator("#five-title")).to_be_focused()
        page.keyboard.press("Tab")

        expect(page.locator("#five-items a.name").first).to_be_focused()


def test_buying_the_item_itself_counts_its_stock_down(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00")
        expect(page.locator("#product-stock")).to_have_text("10 in stock")

        page.get_by_role("button", name="Buy one").click()

        expect(page.locator("#product-stock")).to_have_text("9 in stock")


def test_what_is_sold_out_meanwhile_is_told_and_not_bought(url: str, database_url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00")
        first = cards(page)[0]
        with psycopg.connect(database_url) as connection:
            connection.execute("update item set stock = 0 where item_id = %s", [first])

        page.get_by_role("button", name=f"Buy {first}", exact=True).click()

        expect(page.locator("#status")).to_contain_text("but 0 are in stock")


def test_an_item_is_found_and_opened_with_the_keyboard_alone(url: str) -> None:
    with browsing(url) as page:
        page.goto("/")
        expect(page.locator("#shop-items .card[data-item]")).to_have_count(12)
        search = page.get_by_role("combobox", name="Search items")
        search.focus()
        page.keyboard.type("i07")
        expect(page.locator("#search-list [role=option]")).to_have_count(1)

        page.keyboard.press("ArrowDown")
        expect(search).to_have_attribute("aria-activedescendant", "search-list-0")
        page.keyboard.press("Enter")

        expect(page.locator("#product-title")).to_have_text("i07")
        assert page.url == f"{url}/items/i07"
        expect(page.locator("#search-list")).to_be_hidden()


def test_a_search_without_a_find_says_so(url: str) -> None:
    with browsing(url) as page:
        page.goto("/")
        page.get_by_role("combobox", name="Search items").fill("zeppelin")

        expect(page.locator("#search-list")).to_have_text("Nothing has these words in its title.")


def test_switching_the_customer_changes_the_five_and_the_address(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00")
        as_guest = cards(page)
        customer = page.get_by_role("combobox", name="See the shop as customer")
        customer.fill("c")
        page.get_by_role("option", name="Customer c").click()

        expect(page.locator("#five-title")).to_have_text("Five more for customer c")
        assert page.url.endswith("?customer_id=c")
        expect(customer).to_have_value("Customer c")
        assert "i11" not in cards(page)

        page.go_back()

        expect(page.locator("#five-title")).to_have_text("Five more")
        assert cards(page) == as_guest


def test_a_card_leads_to_its_item_and_keeps_the_customer(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00?customer_id=c")
        first = cards(page)[0]

        page.locator("#five-items a.name").first.click()

        expect(page.locator("#product-title")).to_have_text(first)
        assert page.url == f"{url}/items/{first}?customer_id=c"


def test_a_badge_tells_while_there_is_no_model(database_url: str) -> None:
    open_shop(database_url, SmallShop(plain_shop().things, model=False))
    with serving(database_url) as url, browsing(url) as page:
        until(lambda: httpx2.get(f"{url}/readyz").status_code == 200, 60)
        page.goto("/items/i00")
        cards(page)

        expect(page.locator("#badge")).to_have_text("Popular items, until a model is trained")
        expect(page.locator("#five-items .why").first).to_have_text("Popular in cup")


def test_an_unknown_item_is_told_in_a_sentence(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/nothing")

        expect(page.get_by_role("alert")).to_contain_text("There is no item 'nothing'.")


def test_a_database_away_is_told_and_trying_again_helps(database_url: str) -> None:
    open_shop(database_url, plain_shop())
    with wire_to(database_url) as wire, serving(wire.url) as url, browsing(url) as page:
        until(lambda: httpx2.get(f"{url}/readyz").status_code == 200, 60)
        wire.cut()
        page.goto("/items/i00")
        expect(page.get_by_role("alert")).to_contain_text(
            "The database (PostgreSQL) does not answer"
        )

        wire.mend()
        until(lambda: httpx2.get(f"{url}/readyz").status_code == 200, 60)
        page.get_by_role("button", name="Try again").click()

        assert len(cards(page)) == 5
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_title_is_text_whatever_it_holds(database_url: str) -> None:
    open_shop(database_url, SmallShop((Thing("i0", "f"), Thing("i1", "f"))))
    with psycopg.connect(database_url) as connection:
        connection.execute("update item set title = %s, category = %s", [EVIL, EVIL])
    with serving(database_url) as url, browsing(url) as page:
        until(lambda: httpx2.get(f"{url}/readyz").status_code == 200, 60)
        page.goto("/items/i0")

        expect(page.locator("#product-title")).to_have_text(EVIL)
        expect(page.locator("#five-items a.name")).to_have_text(EVIL)
        assert page.locator("img").count() == 0


@pytest.mark.parametrize("width", [375, 768, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_or_jumps(url: str, width: int, scheme: str) -> None:
    with browsing(url, width, "dark" if scheme == "dark" else "light") as page:
        page.add_init_script(
            "window.jumped = 0; new PerformanceObserver(list => {"
            " for (const e of list.getEntries()) window.jumped += e.value;"
            "}).observe({ type: 'layout-shift', buffered: true });"
        )
        page.goto("/items/i00?customer_id=c")
        cards(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("window.jumped") < 0.1


def test_every_field_and_button_has_a_name_and_a_ring(url: str) -> None:
    with browsing(url) as page:
        page.goto("/items/i00?customer_id=c")
        cards(page)
        expect(page.locator("#lately-items a")).to_have_count(1)
        names = re.findall(
            r'- (?:button|combobox|searchbox|link)(?: "([^"]+)")?',
            page.locator("body").aria_snapshot(),
        )
        rings = []
        for _ in range(8):
            page.keyboard.press("Tab")
            rings.append(
                page.evaluate(
                    "[null, '::after'].some(part =>"
                    " getComputedStyle(document.activeElement, part).outlineStyle === 'solid')"
                )
            )

    assert all(names)
    assert all(rings)
