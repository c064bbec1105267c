"""Starts the parts, each as soon as what it needs is there, and keeps them running."""

import asyncio
import os
import signal
import time
from asyncio import FIRST_COMPLETED
from asyncio.subprocess import Process
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from infra.stack.errors import StackError
from infra.stack.part import Part
from infra.stack.sessions import Ledger

_CHECK_EVERY_S = 0.1
_WATCH_EVERY_S = 5.0
_UNHEALTHY_AFTER_S = 60.0
_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Supervisor:
    """Runs parts and one-off jobs as sessions of their own, each with its log file."""

    def __init__(
        self,
        parts: Iterable[Part],
        state_dir: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._parts = {part.name: part for part in parts}
        self._logs = state_dir / "logs"
        self._ledger = Ledger(state_dir / "sessions.json")
        self._environment = environment
        self._say = say
        self._settled = {name: asyncio.Event() for name in self._parts}
        self._running: dict[str, Process] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._began_s = time.monotonic()

    def start(self) -> None:
        """Start every part, each as soon as what it needs is there; returns at once."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for name, part in self._parts.items():
            self._keepers[name] = asyncio.create_task(self._keep(part))

    async def all_ready(self) -> None:
        """Wait until every part has answered once; StackError when one has failed."""
        await self.ready(self._parts)

    async def ready(self, names: Iterable[str]) -> None:
        """Wait until these parts, as far as they are ours, have answered once."""
        ready = asyncio.create_task(self._all_settled(names))
        try:
            await asyncio.wait({ready, *self._keepers.values()}, return_when=FIRST_COMPLETED)
            for keeper in self._keepers.values():
                if keeper.done():
                    keeper.result()
        finally:
            ready.cancel()

    async def _all_settled(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._settled:
                await self._settled[name].wait()

    async def forever(self) -> None:
        """Keep the parts running; returns only by an error."""
        await asyncio.gather(*self._keepers.values())

    async def run_job(self, name: str, command: tuple[str, ...]) -> int:
        """Run a command once, saying its lines as they come; give its exit code."""
        process = await self._launch(name, command, {}, asyncio.subprocess.PIPE)
        assert process.stdout is not None
        with (self._logs / f"{name}.log").open("ab") as log:
            async for line in process.stdout:
                log.write(line)
                log.flush()
                self._say(f"  {name:<18} {line.decode(errors='replace').rstrip()}")
        code = await process.wait()
        self._running.pop(name)
        self._ledger.remove(name)
        return code

    async def stop(self) -> None:
        """Stop what runs, the parts that others need last."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        try:
            for name in sorted(self._running, key=self._depth, reverse=True):
                await self._end(name)
        finally:
            self._ledger.end_leftovers()

    def _depth(self, name: str) -> int:
        part = self._parts.get(name)
        return 99 if part is None else max((1 + self._depth(n) for n in part.needs), default=0)

    async def _keep(self, part: Part) -> None:
        await self._all_settled(part.needs)
        await asyncio.to_thread(part.prepare)
        await self._bring_up(part)
        await asyncio.to_thread(part.settle)
        self._settled[part.name].set()
        self._say(f"  {part.name:<18} ready after {time.monotonic() - self._began_s:.1f} s")
        while True:
            await self._watch(part)
            await self._bring_back(part)

    async def _bring_up(self, part: Part) -> None:
        await self._launch_part(part)
        if not await self._answers_in_time(part):
            raise StackError(f"{part.name} did not start: {self._last_words(part)}")

    async def _bring_back(self, part: Part) -> None:
        self._say(f"  {part.name:<18} is down; starting it again")
        began_s, attempt = time.monotonic(), 0
        while True:
            await self._end(part.name)
            await self._launch_part(part)
            if await self._answers_in_time(part):
                break
            await asyncio.sleep(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
            attempt += 1
            self._say(f"  {part.name:<18} is still down: {self._last_words(part)}")
        self._say(f"  {part.name:<18} back after {time.monotonic() - began_s:.1f} s")

    async def _answers_in_time(self, part: Part) -> bool:
        deadline_s = time.monotonic() + part.ready_timeout_s
        process = self._running[part.name]
        while time.monotonic() < deadline_s and process.returncode is None:
            if await part.is_ready():
                return process.returncode is None
            await asyncio.sleep(_CHECK_EVERY_S)
        return False

    async def _watch(self, part: Part) -> None:
        """Return when the part's process has ended or has not answered for a minute."""
        exited = asyncio.create_task(self._running[part.name].wait())
        answered_s = time.monotonic()
        try:
            while not exited.done() and time.monotonic() - answered_s < _UNHEALTHY_AFTER_S:
                await asyncio.wait({exited}, timeout=_WATCH_EVERY_S)
                if not exited.done() and await part.is_ready():
                    answered_s = time.monotonic()
        finally:
            exited.cancel()

    async def _launch_part(self, part: Part) -> None:
        with (self._logs / f"{part.name}.log").open("ab") as log:
            await self._launch(part.name, part.command, part.environment, log.fileno(), part.user)

    async def _launch(
        self,
        name: str,
        command: tuple[str | Path, ...],
        environment: Mapping[str, str],
        output: int,
        user: str | None = None,
    ) -> Process:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **self._environment, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            user=user,
            extra_groups=None if user is None else [],
        )
        self._running[name] = process
        self._ledger.add(name, process.pid)
        return process

    async def _end(self, name: str) -> None:
        gentle = self._parts[name].stop_signal if name in self._parts else signal.SIGTERM
        await asyncio.to_thread(self._ledger.end, name, gentle)
        await self._running[name].wait()

    def _last_words(self, part: Part) -> str:
        file = self._logs / f"{part.name}.log"
        lines = file.read_text(errors="replace").strip().splitlines() if file.exists() else []
        return f"{lines[-1] if lines else 'it said nothing'} (its log is {file})"
