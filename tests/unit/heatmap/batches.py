"""Bodies as trackers send them, for tests."""

import base64
import json
from typing import Any

from services.common.reading import Sender
from services.heatmap.events import HeatSchema

RECEIVED_MS = 1_700_000_000_000
SCHEMA = HeatSchema(["demo", "shop"])


def sender(*, is_bot: bool = False, is_staff: bool = False) -> Sender:
    return Sender(RECEIVED_MS, is_bot, is_staff, lambda _: 12345)


def view_id_text(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(8, "little")).decode().rstrip("=")


def posted(**fields: Any) -> dict[str, Any]:
    """A valid batch with `fields` set."""
    return {
        "v": 1, "site": "demo", "page": "/article", "id": view_id_text(7), "n": 0,
        "w": 1440, "h": 900, "dh": 5200, "age": 60_000,
    } | fields  # fmt: skip


def body(**fields: Any) -> bytes:
    return json.dumps(posted(**fields), separators=(",", ":")).encode()
