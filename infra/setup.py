"""Makes `.venv` hold exactly what requirements.lock names. Standard library only: it runs first.

Written so that an old Python can read it far enough to say that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

OLDEST = (3, 11)
FREE_BYTES = 4000000000
VENV = ".venv"
LOCK = "requirements.lock"
STAMP = os.path.join(VENV, "lock.sha256")


def main():  # type: () -> None
    """Set up, or say in one sentence what is missing."""
    if sys.version_info < OLDEST:
        version = sys.version.split()[0]
        stop("Python {} is too old: this needs 3.11 or newer. Set PYTHON to one.".format(version))
    if is_current():
        return
    check_disk()
    make_venv()
    print("Installing what {} names; the first time takes a few minutes.".format(LOCK), flush=True)
    run_pip("install", "--quiet", "--require-hashes", "--requirement", lock_of_uv())
    sync()
    with open(STAMP, "w") as stamp:
        stamp.write(lock_digest())


def is_current():  # type: () -> bool
    """Whether the last setup installed this very lock."""
    if not os.path.exists(STAMP):
        return False
    with open(STAMP) as stamp:
        return stamp.read() == lock_digest()


def lock_digest():  # type: () -> str
    """What identifies an installation: the lock, and the Python that it is installed for."""
    with open(LOCK, "rb") as lock:
        return hashlib.sha256(lock.read() + sys.version.encode()).hexdigest()


def check_disk():  # type: () -> None
    """Stop when the packages would not fit."""
    free = shutil.disk_usage(".").free
    if free < FREE_BYTES:
        gigabytes = "{:.1f} GB".format(free / 1e9)
        stop("This disk has " + gigabytes + " left and the packages need 4 GB: free some.")


def make_venv():  # type: () -> None
    """Make .venv, unless there is one with this very Python."""
    if version_in_venv() == sys.version:
        return
    command = [sys.executable, "-m", "venv", "--clear", VENV]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        stop(
            "Python's module venv does not work: install it (on Debian and Ubuntu the package is "
            "python3-venv), or set PYTHON to a Python that has it."
        )


def version_in_venv():  # type: () -> str
    """The version of the Python in .venv; empty when there is none that runs."""
    code = "import pip, sys; sys.stdout.write(sys.version)"
    try:
        done = subprocess.run(
            [venv_file("python"), "-c", code], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout


def venv_file(name):  # type: (str) -> str
    """The path of a command in .venv."""
    return os.path.join(VENV, "bin", name)


def lock_of_uv():  # type: () -> str
    """A file with uv's own lines of the lock: uv then installs the rest."""
    with open(LOCK) as lock:
        lines = lock.read().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("uv=="))
    block = [lines[start]]
    for line in lines[start + 1 :]:
        if not line.startswith(" "):
            break
        block.append(line)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.writelines(block)
    return file.name


def run_pip(*arguments):  # type: (*str) -> None
    """Run the venv's pip; stop with its last line when it fails."""
    run(
        [venv_file("python"), "-m", "pip", "--disable-pip-version-check", *arguments],
        os.environ.copy(),
    )


def sync():  # type: () -> None
    """Install the lock, with bytecode: the first start of a server is several times faster."""
    environment = dict(os.environ, UV_COMPILE_BYTECODE="1", UV_PYTHON_DOWNLOADS="never")
    environment["VIRTUAL_ENV"] = os.path.abspath(VENV)
    environment.setdefault("UV_SYSTEM_CERTS", "1")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    run([venv_file("uv"), "pip", "sync", "--require-hashes", LOCK], environment)


def run(command, environment):  # type: (list[str], dict[str, str]) -> None
    """Run a command of the set-up, which shows its progress; stop when it fails."""
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        stop(
            "The packages could not be installed; the reason stands above. If the package registry "
            "can't be reached, check the network or set PIP_INDEX_URL and UV_DEFAULT_INDEX to a "
            "mirror; behind a proxy set SSL_CERT_FILE. If a package needs a compiler, install gcc "
            "(on Debian and Ubuntu the package is build-essential)."
        )


def stop(sentence):  # type: (str) -> None
    """End with a sentence and exit code 1."""
    sys.exit(sentence)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("Interrupted; the same command goes on from here.")
