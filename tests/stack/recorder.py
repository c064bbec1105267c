"""Pages that carry the tracker, and a collector that only writes down what is posted to it."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from services.common.reading import Sender
from services.heatmap.events import HeatSchema
from services.heatmap.scripts import minified

TRACKER = Path("services/heatmap/web/tracker.js")
READY = {"flush_ms": 5000, "watched": False}


@dataclass(frozen=True)
class Posted:
    """One request: when it came, its body, and its headers."""

    at_s: float
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def name(self) -> tuple[str, int]:
        """The batch's id and number."""
        return self.body["id"], self.body["n"]

    def segments(self) -> list[list[int]]:
        """Start since the origin, duration, top, bottom."""
        found, start = [], 0
        for gap, duration, top, bottom in rows(self.body, "view", 4):
            found.append([start + gap, duration, top, bottom])
            start += gap + duration
        return found


@dataclass
class Recorder:
    """The collector's answer is that of `status`; 0 hangs up without one."""

    pages: dict[str, str]
    status: int = 200
    retry_after: str = ""
    reply: dict[str, Any] = field(default_factory=lambda: dict(READY))
    posts: list[Posted] = field(default_factory=list)
    url: str = ""

    def taken(self) -> list[Posted]:
        """The batches, each once, whatever was answered."""
        return list({post.name: post for post in self.posts}.values())

    def clicks(self, kind: int = 1) -> list[list[Any]]:
        """The clicks of this kind, with the selector in place of its number."""
        return [
            [*row[:4], [*post.body.get("els", []), None][row[4]], *row[5:]]
            for post in self.taken()
            for row in rows(post.body, "click", 8)
            if row[1] == kind
        ]

    def take(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Write down a body; each event must be one that the collector accepts."""
        sender = Sender(int(time.time() * 1000), is_bot=False, is_staff=False, visitor=lambda _: 1)
        reading = HeatSchema(["demo", "shop"]).read(body, sender)
        assert reading.rejected == [], reading.rejected
        self.posts.append(Posted(time.monotonic(), json.loads(body), headers))


def rows(body: Mapping[str, Any], kind: str, width: int) -> list[list[int]]:
    """The rows of one list of a batch."""
    flat = body.get(kind, [])
    return [flat[i : i + width] for i in range(0, len(flat), width)]


@contextmanager
def recording(pages: Mapping[str, str]) -> Iterator[Recorder]:
    """A server of these pages by path, with what was posted to its /collect."""
    recorder = Recorder(dict(pages))
    script = minified(TRACKER.read_text())
    faults: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/tracker.js":
                self.answer(200, script, "text/javascript")
            elif page := recorder.pages.get(path):
                self.answer(200, page.encode(), "text/html; charset=utf-8")
            else:
                self.answer(404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                recorder.take(body, dict(self.headers))
            except (AssertionError, ValueError) as fault:
                faults.append(f"{fault}: {body.decode()}")
            if recorder.status:
                self.answer(recorder.status, json.dumps(recorder.reply).encode(), "text/plain")
            else:
                self.close_connection = True

        def answer(self, status: int, body: bytes, media_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Expose-Headers", "Retry-After")
            if recorder.retry_after:
                self.send_header("Retry-After", recorder.retry_after)
            # A page that left does not wait for its answer.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    yield recorder
    server.shutdown()
    server.server_close()
    assert faults == []
