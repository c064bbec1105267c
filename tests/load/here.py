"""Load stays on this machine, whatever host is asked for."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from locust.env import Environment


class RemoteHostError(Exception):
    """The load would go to another machine."""


def require_loopback(url: str) -> None:
    """Refuse every host but this machine: load is put on nobody else."""
    host = urlsplit(url).hostname or ""
    if host != "localhost" and not _is_loopback(host):
        raise RemoteHostError(f"The host is '{host}', but load is put on 127.0.0.1 or ::1 only.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def stay_here(environment: Environment, **_: object) -> None:
    """For Locust's event `init`: end before a user is there."""
    if environment.host:
        require_loopback(environment.host)
