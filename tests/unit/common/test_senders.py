import pytest

from services.common.senders import NetworkError, Senders, is_bot, network_of, networks

CHROME = (
    b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/126.0.0.0 Safari/537.36"
)


def senders(salt: bytes | None = b"today", staff: str = "") -> Senders:
    return Senders(lambda: salt, networks(staff))


@pytest.mark.parametrize(
    "agent",
    [
        b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        b"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0)",
        b"curl/8.5.0",
        b"",
    ],
)
def test_programs_are_told_from_people(agent: bytes) -> None:
    assert is_bot(agent)
    assert not is_bot(CHROME)


def test_a_visitor_has_one_name_a_day_and_site() -> None:
    first = senders().sender("192.0.2.1", CHROME)
    again = senders().sender("192.0.2.1", CHROME)
    tomorrow = senders(b"tomorrow").sender("192.0.2.1", CHROME)

    assert first.visitor("demo") == again.visitor("demo")
    assert first.visitor("demo") != first.visitor("shop")
    assert first.visitor("demo") != tomorrow.visitor("demo")
    assert 0 < first.visitor("demo") < 2**64


def test_two_addresses_or_browsers_are_two_visitors() -> None:
    all_senders = senders()
    names = {
        all_senders.sender(address, agent).visitor("demo")
        for address in ("192.0.2.1", "192.0.2.2")
        for agent in (CHROME, CHROME + b" Edg/126")
    }

    assert len(names) == 4


def test_without_a_secret_there_is_no_name() -> None:
    assert senders(salt=None).sender("192.0.2.1", CHROME).visitor("demo") == 0


@pytest.mark.parametrize(
    ("address", "is_staff"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("2001:db8::7", True), ("", False), ("pipe", False)],
)
def test_staff_are_known_by_their_networks(address: str, is_staff: bool) -> None:
    sender = senders(staff="10.0.0.0/8, 2001:db8::/32").sender(address, CHROME)

    assert sender.is_staff == is_staff


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(NetworkError, match=r"10\.0\.0\.0/99"):
        networks("10.0.0.0/99")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not:an:address", "not:an:address"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
