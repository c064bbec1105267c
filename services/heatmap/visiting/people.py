"""Who comes: devices and browsers by their shares, each visitor drawn from a seed."""

import base64
import random
from dataclasses import dataclass

from services.heatmap.events import BOT, HUMAN, IS_STAFF, IS_WEBDRIVER, STAFF

BOT_SHARE = 0.04
STAFF_SHARE = 0.03

_WINDOWS = "Windows NT 10.0; Win64; x64"
_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_ANDROID = "Linux; Android 10; K"
_IPHONE = "iPhone; CPU iPhone OS 18_6 like Mac OS X"
_IPAD = "iPad; CPU OS 18_6 like Mac OS X"


def _chrome(system: str, tail: str = "Safari/537.36", name: str = "Chrome") -> tuple[str, ...]:
    engine = "AppleWebKit/537.36 (KHTML, like Gecko)"
    return tuple(
        f"Mozilla/5.0 ({system}) {engine} {name}/{v}.0.0.0 {tail}" for v in (144, 145, 146)
    )


def _firefox(system: str) -> tuple[str, ...]:
    versions = (145, 146, 147)
    return tuple(f"Mozilla/5.0 ({system}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0" for v in versions)


def _safari(system: str, tail: str) -> tuple[str, ...]:
    engine = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
    return tuple(f"Mozilla/5.0 ({system}) {engine} Version/{v} {tail}" for v in ("18.6", "26.1"))


@dataclass(frozen=True)
class Device:
    """A kind of window: its size, whether it is touched, its share of visits, its browsers."""

    width_px: int
    height_px: int
    touch: bool
    share: float
    agents: tuple[str, ...]


_OF_IPHONES = _safari(_IPHONE, "Mobile/15E148 Safari/604.1")
_OF_PHONES = _chrome(_ANDROID, "Mobile Safari/537.36")
_OF_TABLETS = _safari(_IPAD, "Mobile/15E148 Safari/604.1")
_OF_WINDOWS = _chrome(_WINDOWS) + _firefox(_WINDOWS)
_OF_MACS = _chrome(_MAC) + _safari(_MAC, "Safari/605.1.15")

DEVICES = (
    Device(390, 664, touch=True, share=0.20, agents=_OF_IPHONES),
    Device(412, 766, touch=True, share=0.22, agents=_OF_PHONES),
    Device(820, 1106, touch=True, share=0.06, agents=_OF_TABLETS),
    Device(1280, 720, touch=False, share=0.12, agents=_OF_WINDOWS),
    Device(1440, 900, touch=False, share=0.20, agents=_OF_MACS),
    Device(1920, 969, touch=False, share=0.20, agents=_OF_WINDOWS),
)
HEADLESS = _chrome(_WINDOWS, name="HeadlessChrome")
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)


@dataclass(frozen=True)
class Visitor:
    """Someone who opens a page, with what a server learns of them.

    view_id, flags: as in the wire format. address: of 10.0.0.0/8.
    """

    view_id: str
    device: Device
    agent: str
    address: str
    audience: int
    flags: int


def visitor(rng: random.Random) -> Visitor:
    """One drawn from the tables above."""
    device = rng.choices(DEVICES, [device.share for device in DEVICES])[0]
    audience, flags, agent = _kind(rng, device)
    return Visitor(
        view_id=base64.urlsafe_b64encode(rng.randbytes(8)).decode().rstrip("="),
        device=device,
        agent=agent,
        address=f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
        audience=audience,
        flags=flags,
    )


def _kind(rng: random.Random, device: Device) -> tuple[int, int, str]:
    chance = rng.random()
    if chance < BOT_SHARE / 2:
        return BOT, 0, rng.choice(CRAWLERS)
    if chance < BOT_SHARE:
        return BOT, IS_WEBDRIVER, rng.choice(HEADLESS)
    if chance < BOT_SHARE + STAFF_SHARE:
        return STAFF, IS_STAFF, rng.choice(device.agents)
    return HUMAN, 0, rng.choice(device.agents)
