"""`python -m infra.stack demo | run -- COMMAND | clean`: the stack without Docker."""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg

from infra.stack import machine
from infra.stack.errors import StackError
from infra.stack.plan import INFRASTRUCTURE, Plan, chosen, infrastructure, plan
from infra.stack.sessions import Ledger
from infra.stack.supervisor import Supervisor
from infra.systems import SYSTEMS, System
from services.common.settings import Settings, load_settings

GRACE_S = 20
# All that a stack writes into its state folder: `clean` takes nothing else away, whose ever it is.
WRITTEN = (
    *INFRASTRUCTURE,
    *SYSTEMS,
    *("postgres.partial", "postgres.password", "spark", "bench", "compose-logs", "logs"),
    *("sessions.json", "stack.env", "lock"),
)


def main() -> None:
    arguments = _arguments()
    settings = load_settings()
    try:
        sys.exit(arguments.run(arguments, settings))
    except (StackError, OSError, psycopg.Error) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.stack", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    demo = verbs.add_parser("demo", help="start everything and keep it running")
    demo.add_argument("--only", default="", help="systems, separated by commas")
    demo.set_defaults(run=_demo)
    run = verbs.add_parser("run", help="run a command beside the stack, started if need be")
    run.add_argument("--only", default="", help="systems whose servers the command needs")
    run.add_argument("command", nargs="+")
    run.set_defaults(run=_run)
    clean = verbs.add_parser("clean", help="forget all data")
    clean.set_defaults(run=_clean)
    return parser.parse_args()


def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    async def work(supervisor: Supervisor, current: Plan) -> int:
        for system in current.systems:
            await _first_run(supervisor, system)
        await supervisor.all_ready()
        _say(_what_to_open(settings, current))
        await supervisor.forever()
        return 0

    systems = chosen(arguments.only)
    return _with_stack(settings, infrastructure(arguments.only), systems, _say, work)


async def _first_run(supervisor: Supervisor, system: System) -> None:
    for job in system.jobs:
        name = f"{system.name} {job.name}"
        await supervisor.ready(job.needs)
        code = await supervisor.run_job(name, (sys.executable, "-m", job.module, *job.arguments))
        if code != 0:
            _say(f"  {name:<18} failed with exit code {code}; the rest goes on without it")
            return


def _what_to_open(settings: Settings, current: Plan) -> str:
    pages = [("front page", settings.front_port)]
    pages += [(system.name, system.server.port(settings)) for system in current.systems]
    pages += [(part.name, part.port) for part in current.parts if part.name == "mlflow"]
    lines = [f"  {name:<18} http://{settings.reach_host}:{port}" for name, port in pages]
    return "\n".join(["", "Ready. Open", *lines, "", "Ctrl-C stops everything; data is kept."])


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    running = settings.state_dir / "stack.env"
    if machine.is_running(settings.state_dir):
        lines = running.read_text().splitlines() if running.exists() else []
        environment = dict(line.split("=", 1) for line in lines)
        return subprocess.run(
            arguments.command, env={**environment, **os.environ}, check=False
        ).returncode

    async def work(supervisor: Supervisor, current: Plan) -> int:
        await supervisor.all_ready()
        environment = {**os.environ, **current.environment}
        # A session of its own: Ctrl-C reaches it once, from here.
        process = await asyncio.create_subprocess_exec(
            *arguments.command, env=environment, start_new_session=True
        )
        try:
            return await process.wait()
        except asyncio.CancelledError:
            # It may have to tidy up in the servers, which stop only after it.
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=GRACE_S)
            raise

    return _with_stack(settings, infrastructure(arguments.only), (), lambda _: None, work)


def _clean(_: argparse.Namespace, settings: Settings) -> int:
    with machine.only_one(settings.state_dir):
        Ledger(settings.state_dir / "sessions.json").end_leftovers()
        for name in WRITTEN:
            _remove(settings.state_dir / name)
    with contextlib.suppress(OSError):
        settings.state_dir.rmdir()
    _say(f"The data in {settings.state_dir} are gone; the next start loads and trains anew.")
    return 0


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _with_stack(
    settings: Settings,
    servers: tuple[str, ...],
    systems: tuple[System, ...],
    say: Callable[[str], None],
    work: Callable[[Supervisor, Plan], Awaitable[int]],
) -> int:
    with machine.only_one(settings.state_dir):
        leftovers = Ledger(settings.state_dir / "sessions.json").end_leftovers()
        if leftovers:
            say(f"Ended what an earlier start left running: {', '.join(leftovers)}.")
        machine.check_disk(settings.state_dir)
        current = plan(settings, servers, systems, say)
        machine.check_ports(current.parts)
        lines = [f"{name}={value}" for name, value in current.environment.items()]
        addresses = settings.state_dir / "stack.env"
        addresses.touch(mode=0o600)
        addresses.write_text("\n".join(lines) + "\n")
        return asyncio.run(_supervise(settings, current, say, work))


async def _supervise(
    settings: Settings,
    current: Plan,
    say: Callable[[str], None],
    work: Callable[[Supervisor, Plan], Awaitable[int]],
) -> int:
    supervisor = Supervisor(current.parts, settings.state_dir, current.environment, say)
    supervisor.start()
    task = asyncio.ensure_future(work(supervisor, current))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        say("Stopping.")
        return 130
    finally:
        await supervisor.stop()


def _say(line: str) -> None:
    """Print, unless the terminal is gone: the stop that follows must not fail on that."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    main()
