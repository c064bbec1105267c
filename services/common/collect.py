"""The front door of events: HTTP in, Kafka out; it answers once Kafka has what it was sent.

It stands before the application's routes and middlewares, which cost more than the work itself. It
knows nothing of what it collects: a schema reads the bodies and a function writes the replies.
"""

import asyncio
import itertools
import json
import math
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from asgi_correlation_id import correlation_id
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.collect_metrics import CollectMetrics
from services.common.errors import FAILED, problem
from services.common.kafka import Record
from services.common.outbox import AWAY, KafkaAwayError, Outbox
from services.common.rates import HotKeys, RateLimit
from services.common.reading import Reading, RefusedError, Rejected, Schema, Sender
from services.common.senders import Senders, network_of

Reply = Callable[[str], Mapping[str, Any]]
"""What to answer about a reading's subject, as fields of a JSON object."""

DEAD_BODY_CHARACTERS = 2048
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_JSON = (b"content-type", b"application/json")
_STOP = b'{"stop":true}'
_PREFLIGHT = [
    _ANY_ORIGIN,
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type"),
    (b"access-control-max-age", b"86400"),
]


@dataclass(frozen=True)
class Limits:
    """What a collector takes at most.

    batches, held_bytes: of bodies that wait for Kafka.
    client_per_s: batches of one address. hot_per_s: batches of a key before it is spread.
    read_s: for a body that comes in pieces.
    """

    client_per_s: float = 200
    body_bytes: int = 64 * 1024
    batches: int = 4000
    held_bytes: int = 32 * 1024 * 1024
    hot_per_s: float = 500
    read_s: float = 10.0


class NotKeptError(Exception):
    """The answer to a body of which nothing was kept: a status, a reason in a word, a sentence."""

    def __init__(self, status: int, reason: str, detail: str, retry_after_s: float = 0) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s


class CollectAt:
    """An application, with a collector at one path of it that passes none of its layers."""

    def __init__(self, app: ASGIApp, path: str, collector: "Collector") -> None:
        self.app = app
        self.path = path
        self.collector = collector

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self.path:
            await self.collector(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Collector:
    """The ASGI application that takes batches of events for one topic."""

    def __init__(
        self,
        *,
        schema: Schema,
        reply: Reply,
        topic: str,
        dead_topic: str,
        outbox: Outbox,
        senders: Senders,
        limits: Limits,
        metrics: CollectMetrics,
    ) -> None:
        self._schema = schema
        self._reply = reply
        self._topic = topic
        self._dead_topic = dead_topic
        self._outbox = outbox
        self._senders = senders
        self._limits = limits
        self._metrics = metrics
        self._clients = RateLimit(limits.client_per_s)
        self._keys = HotKeys(limits.hot_per_s)
        self._run = uuid.uuid4().hex[:16]
        self._requests = itertools.count(1)
        self._batches = 0
        self._held_bytes = 0
        metrics.waiting = lambda: self._batches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await _answer(send, 204, b"", _PREFLIGHT)
            return
        # So that whatever is answered or logged here can be found by its id.
        correlation_id.set(f"{self._run}-{next(self._requests)}")
        try:
            body = await self._take(scope, receive)
        except NotKeptError as error:
            self._metrics.refused[error.reason] += 1
            await _refusal(error)(scope, receive, send)
        except Exception:
            await _refusal(NotKeptError(500, "failed", FAILED))(scope, receive, send)
            # The server logs it.
            raise
        else:
            length = (b"content-length", b"%d" % len(body))
            await _answer(send, 200, body, [_ANY_ORIGIN, _JSON, length])

    async def _take(self, scope: Scope, receive: Receive) -> bytes:
        began_s = time.monotonic()
        headers = dict(scope["headers"])
        self._require_acceptable(scope["method"], headers)
        address = scope["client"][0] if scope["client"] else ""
        self._require_within_rate(address, began_s)
        if headers.get(b"sec-gpc") == b"1" or headers.get(b"dnt") == b"1":
            self._metrics.opted_out += 1
            return _STOP
        body = await self._body(receive)
        self._require_room(body)
        self._batches += 1
        self._held_bytes += len(body)
        try:
            sender = self._senders.sender(address, headers.get(b"user-agent", b""))
            reading = await self._keep(body, sender)
        finally:
            self._batches -= 1
            self._held_bytes -= len(body)
        self._metrics.kept(reading, len(body), time.monotonic() - began_s)
        return self._reply_to(reading)

    def _require_acceptable(self, method: str, headers: Mapping[bytes, bytes]) -> None:
        if method != "POST":
            detail = f"{method} is not possible; this address answers POST and OPTIONS."
            raise NotKeptError(405, "method", detail)
        encoding = headers.get(b"content-encoding", b"identity")
        if encoding != b"identity":
            detail = f"The Content-Encoding is {encoding[:32].decode('latin-1')!r}, but may only "
            raise NotKeptError(415, "encoding", f"{detail}be identity.")
        if int(headers.get(b"content-length", 0)) > self._limits.body_bytes:
            raise self._too_large()

    def _require_within_rate(self, address: str, now_s: float) -> None:
        wait_s = self._clients.wait_s(network_of(address), now_s)
        if wait_s:
            detail = (
                f"This address sends more than {self._limits.client_per_s:g} batches a second; "
                "please send less often, or more events in a batch."
            )
            raise NotKeptError(429, "rate", detail, wait_s)

    async def _body(self, receive: Receive) -> bytes:
        message = await receive()
        if message.get("more_body"):
            try:
                async with asyncio.timeout(self._limits.read_s):
                    return await self._rest(message, receive)
            except TimeoutError as error:
                detail = f"The body was not complete within {self._limits.read_s:g} s."
                raise NotKeptError(408, "slow", detail) from error
        body: bytes = message.get("body", b"")
        if len(body) > self._limits.body_bytes:
            raise self._too_large()
        return body

    async def _rest(self, message: Any, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            if message["type"] == "http.disconnect":
                raise NotKeptError(400, "gone", "The body was not sent to its end.")
            body += message.get("body", b"")
            if len(body) > self._limits.body_bytes:
                raise self._too_large()
            if not message.get("more_body"):
                return bytes(body)
            message = await receive()

    def _too_large(self) -> NotKeptError:
        detail = f"The body is larger than {self._limits.body_bytes:,} bytes; send smaller batches."
        return NotKeptError(413, "too_large", detail)

    def _require_room(self, body: bytes) -> None:
        full = self._held_bytes + len(body) > self._limits.held_bytes
        if full or self._batches >= self._limits.batches:
            detail = "Too many batches wait for Kafka; nothing was kept, please send it again."
            raise NotKeptError(503, "busy", detail, 1)

    async def _keep(self, body: bytes, sender: Sender) -> Reading:
        try:
            reading = self._schema.read(body, sender)
        except RefusedError as error:
            whole = [Rejected("", str(error), None)]
            await self._stored([(self._dead_topic, b"", dead_letter(body, sender, whole))])
            raise NotKeptError(422, "refused", str(error)) from error
        records = []
        if reading.value is not None:
            records.append((self._topic, self._key(reading), reading.value))
        if reading.rejected:
            letter = dead_letter(body, sender, reading.rejected)
            records.append((self._dead_topic, reading.key.encode(), letter))
        await self._stored(records)
        return reading

    def _key(self, reading: Reading) -> bytes:
        if self._keys.is_hot(reading.key, time.monotonic()):
            self._metrics.hot += 1
            return f"{reading.key}#{reading.salt}".encode()
        return reading.key.encode()

    async def _stored(self, records: Iterable[Record]) -> None:
        try:
            waiting = [self._outbox.put(*record) for record in records]
        except KafkaAwayError as error:
            raise NotKeptError(503, "kafka", str(error), 1) from error
        kept = True
        for stored in waiting:
            kept &= await stored
        if not kept:
            raise NotKeptError(503, "kafka", AWAY, 1)

    def _reply_to(self, reading: Reading) -> bytes:
        reply = dict(self._reply(reading.subject))
        if reading.rejected:
            reply["rejected"] = [{"event": r.event, "reason": r.reason} for r in reading.rejected]
        return msgspec.json.encode(reply)


def dead_letter(body: bytes, sender: Sender, rejected: Iterable[Rejected]) -> bytes:
    """What can't be kept, with its reasons, as JSON: one record for all of a body."""
    events = [{"event": r.event, "reason": r.reason, "content": r.content} for r in rejected]
    start = body[:DEAD_BODY_CHARACTERS].decode(errors="replace")
    letter = {"received_ms": sender.received_ms, "rejected": events, "body": start}
    return json.dumps(letter, separators=(",", ":")).encode()


def _refusal(error: NotKeptError) -> JSONResponse:
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
        "X-Request-ID": correlation_id.get() or "",
    }
    if error.retry_after_s:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if error.status == 405:
        headers["Allow"] = "POST, OPTIONS"
    return problem(error.status, str(error), headers)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
