import asyncio
from collections.abc import Callable
from typing import Any, cast

from services.common.segments import SHORT_BYTES, GatheringTransport


class Recorder:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def run(scenario: Callable[[GatheringTransport], Any]) -> Recorder:
    recorder = Recorder()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        scenario(GatheringTransport(cast(asyncio.Transport, recorder), loop))
        await asyncio.sleep(0)

    asyncio.run(main())
    return recorder


def test_what_is_written_in_one_turn_leaves_as_one_piece() -> None:
    def scenario(transport: GatheringTransport) -> None:
        transport.write(b"headers\r\n\r\n")
        transport.write(b"body")

    assert run(scenario).written == [b"headers\r\n\r\nbody"]


def test_a_large_piece_is_not_copied_and_keeps_its_place() -> None:
    large = bytes(SHORT_BYTES + 1)

    def scenario(transport: GatheringTransport) -> None:
        transport.write(b"first")
        transport.write(large)
        transport.write(b"last")

    assert run(scenario).written == [b"first", large, b"last"]


def test_closing_sends_what_was_written_before() -> None:
    def scenario(transport: GatheringTransport) -> None:
        transport.write(b"goodbye")
        transport.close()
        assert transport.is_closing()

    recorder = run(scenario)

    assert (recorder.written, recorder.is_closed) == ([b"goodbye"], True)


def test_all_else_is_the_transports_own() -> None:
    seen: list[str] = []

    run(lambda transport: seen.append(transport.get_extra_info("peername")))

    assert seen == ["the peername"]
