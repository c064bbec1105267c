"""`python -m infra.compose.forward 5432=postgres:5432 ...`: TCP ports of this container lead on.

docker compose publishes a port with its service or never; this is the service that is there in the
`debug` profile only, so that the servers behind it publish nothing.
"""

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import AsyncExitStack, suppress

CHUNK_BYTES = 65536


async def forward(routes: list[str]) -> None:
    """Serve routes such as `5432=postgres:5432` until cancelled."""
    async with AsyncExitStack() as stack:
        for route in routes:
            port, _, target = route.partition("=")
            host, _, target_port = target.rpartition(":")
            server = await serve(int(port), host, int(target_port))
            await stack.enter_async_context(server)
        await asyncio.Event().wait()


async def serve(port: int, host: str, target_port: int) -> asyncio.Server:
    """Accept on `port`; each connection gets one of its own to the target, or is closed."""

    async def lead_on(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(host, target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        inner_writer.close()
        writer.close()

    return await asyncio.start_server(lead_on, "0.0.0.0", port)  # noqa: S104


async def copy(reader: StreamReader, writer: StreamWriter) -> None:
    """Pass bytes on until one side says its last, then say so to the other."""
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        return
    writer.close()


if __name__ == "__main__":
    asyncio.run(forward(sys.argv[1:]))
