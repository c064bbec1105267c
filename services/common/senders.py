"""Who sent a request: a program or a person, staff or not, and a name that lasts a day."""

import hmac
import ipaddress
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import crawleruseragents  # type: ignore[import-untyped]

from services.common.reading import Sender

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Salt = Callable[[], bytes | None]
"""Today's secret; None when it can't be had."""

AGENT_LENGTH_MAX = 512
_KNOWN = 16_384


class NetworkError(ValueError):
    """The setting names something that is no network."""


def networks(listed: str) -> tuple[Network, ...]:
    """The networks of a setting like `10.0.0.0/8, 2001:db8::/32`; NetworkError if one is none."""
    try:
        return tuple(
            ipaddress.ip_network(name.strip()) for name in listed.split(",") if name.strip()
        )
    except ValueError as error:
        raise NetworkError(
            f"A network of staff is not written like 10.0.0.0/8 or 2001:db8::/32: {error}."
        ) from error


class Senders:
    """Makes senders out of addresses and user agents, neither of which goes any further."""

    def __init__(self, salt: Salt, staff: Sequence[Network] = ()) -> None:
        self._salt = salt
        self._staff = staff
        self._is_staff = lru_cache(_KNOWN)(self._look_up)
        # The list's patterns are compiled at first use, which a visitor need not wait for.
        is_bot(b"")

    def sender(self, address: str, agent: bytes) -> Sender:
        """Who it was that sent something just now."""
        return Sender(
            time.time_ns() // 1_000_000,
            is_bot(agent[:AGENT_LENGTH_MAX]),
            self._is_staff(address),
            partial(self._visitor, address, agent[:AGENT_LENGTH_MAX]),
        )

    def _visitor(self, address: str, agent: bytes, site: str) -> int:
        salt = self._salt()
        return _pseudonym(salt, site, address, agent) if salt else 0

    def _look_up(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._staff)


@lru_cache(_KNOWN)
def is_bot(agent: bytes) -> bool:
    """Whether a user agent is that of a known program, or none at all."""
    return not agent or crawleruseragents.is_crawler(agent.decode("latin-1"))


@lru_cache(_KNOWN)
def network_of(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or the /64 of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


@lru_cache(_KNOWN)
def _pseudonym(salt: bytes, site: str, address: str, agent: bytes) -> int:
    told = b"|".join((site.encode(), address.encode(), agent))
    return int.from_bytes(hmac.digest(salt, told, "sha256")[:8], "little")
