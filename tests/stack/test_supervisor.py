"""The supervisor with small real processes: start order, restarts, and nothing left behind."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from infra.stack.errors import StackError
from infra.stack.machine import check_ports, is_running, only_one
from infra.stack.part import Part
from infra.stack.sessions import Ledger
from infra.stack.supervisor import Supervisor
from tests.waiting import still_running

DEADLINE_S = 60
# A server that says when it started, keeps a child in its session, and ignores a polite end.
STUBBORN = """
import os, pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with pathlib.Path(sys.argv[1]).open("a") as file:
    file.write(f"{time.monotonic()} {os.getpid()}\\n")
time.sleep(600)
"""
POLITE = STUBBORN.replace("SIG_IGN", "SIG_DFL")


def part(name: str, folder: Path, needs: tuple[str, ...] = (), code: str = POLITE) -> Part:
    mark = folder / f"{name}.started"
    return Part(
        name=name,
        command=(sys.executable, "-c", code, str(mark)),
        port=0,
        port_setting=f"{name.upper()}_PORT",
        check=lambda: newest_is_alive(mark),
        needs=needs,
    )


def newest_is_alive(mark: Path) -> bool:
    newest = mark.read_text().split()[-1:] if mark.exists() else []
    return any(psutil.pid_exists(int(pid)) for pid in newest)


@asynccontextmanager
async def running(folder: Path, *parts: Part) -> AsyncIterator[tuple[Supervisor, list[str]]]:
    said: list[str] = []
    supervisor = Supervisor(parts, folder, {}, said.append)
    try:
        supervisor.start()
        await asyncio.wait_for(supervisor.all_ready(), DEADLINE_S)
        yield supervisor, said
    finally:
        await supervisor.stop()


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.02)


def leader(folder: Path, name: str) -> int:
    return Ledger(folder / "sessions.json").leader(name)


def processes(folder: Path) -> list[psutil.Process]:
    return Ledger(folder / "sessions.json").processes()


def starts(folder: Path, name: str) -> list[float]:
    lines = (folder / f"{name}.started").read_text().splitlines()
    return [float(line.split()[0]) for line in lines]


def test_a_part_starts_after_the_parts_it_needs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, part("app", tmp_path, ("base",)), part("base", tmp_path)):
            assert starts(tmp_path, "base") < starts(tmp_path, "app")

    asyncio.run(scenario())


def test_a_killed_part_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, part("base", tmp_path)) as (_, said):
            os.kill(leader(tmp_path, "base"), signal.SIGKILL)
            await until(lambda: any("back after" in line for line in said))
            assert len(starts(tmp_path, "base")) == 2

    asyncio.run(scenario())


def test_the_children_of_a_killed_part_do_not_outlive_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, part("base", tmp_path)) as (_, said):
            family = processes(tmp_path)
            os.kill(leader(tmp_path, "base"), signal.SIGKILL)
            await until(lambda: any("back after" in line for line in said))
            assert len(family) == 2
            assert still_running(family) == []

    asyncio.run(scenario())


def test_after_a_stop_nothing_of_the_stack_runs(tmp_path: Path) -> None:
    async def scenario() -> list[psutil.Process]:
        async with running(tmp_path, part("base", tmp_path)):
            return processes(tmp_path)

    family = asyncio.run(scenario())
    assert len(family) == 2
    assert still_running(family) == []


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys; from tests.stack.test_supervisor import *\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "async def scenario():\n"
        "    async with running(folder, part('base', folder)) as _:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(scenario())"
    )
    killed = psutil.Popen([sys.executable, "-c", code, str(tmp_path)])
    assert killed.wait(DEADLINE_S) == -signal.SIGKILL
    family = processes(tmp_path)

    assert Ledger(tmp_path / "sessions.json").end_leftovers() == ["base"]

    assert len(family) == 2
    assert still_running(family) == []


def test_a_stranger_under_a_number_of_ours_is_left_alone(tmp_path: Path) -> None:
    code = "import time; time.sleep(600)"
    stranger = psutil.Popen([sys.executable, "-c", code], start_new_session=True)
    ledger = Ledger(tmp_path / "sessions.json")
    ledger.add("base", stranger.pid)
    file = tmp_path / "sessions.json"
    kept = json.loads(file.read_text())
    kept["sessions"]["base"][1] -= 1
    file.write_text(json.dumps(kept))

    assert Ledger(file).end_leftovers() == []

    assert stranger.is_running()
    stranger.kill()
    stranger.wait()


def test_what_another_boot_left_is_not_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "sessions.json"
    file.write_text(json.dumps({"boot": "another", "sessions": {"base": [os.getpid(), 0.0]}}))

    assert Ledger(file).end_leftovers() == []


def test_a_part_that_ends_at_once_fails_the_start_with_its_last_words(tmp_path: Path) -> None:
    broken = part("base", tmp_path, code="import sys; sys.exit('the disk is a lie')")

    async def scenario() -> None:
        async with running(tmp_path, broken):
            pass

    with pytest.raises(StackError, match=r"base did not start: the disk is a lie \(its log is"):
        asyncio.run(scenario())


def test_a_job_says_its_lines_and_gives_its_exit_code(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, list[str]]:
        async with running(tmp_path, part("base", tmp_path)) as (supervisor, said):
            command = (sys.executable, "-c", "print('half way'); raise SystemExit(3)")
            return await supervisor.run_job("base load", command), said

    code, said = asyncio.run(scenario())
    assert code == 3
    assert any("half way" in line for line in said)


def test_a_second_holder_of_the_state_folder_is_told_who_has_it(tmp_path: Path) -> None:
    with only_one(tmp_path):
        assert is_running(tmp_path)
        with (
            pytest.raises(StackError, match=rf"running already \(process {os.getpid()}\)"),
            only_one(tmp_path),
        ):
            pass
    assert not is_running(tmp_path)


def test_a_taken_port_is_named_with_its_setting_and_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = Part("base", (), port, "BASE_PORT", check=lambda: True)
        with pytest.raises(StackError, match=rf"Port {port}.*process {os.getpid()}.*BASE_PORT"):
            check_ports((wanted,))
