"""The jars of Apache Kafka and of Spark's database driver: resolved once, pinned by sha256."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyspark

from infra.stack.errors import StackError

_INFRA = Path(__file__).parent.parent
_LOCK = _INFRA / "jars.lock"
_TIMEOUT_S = 600


def pinned() -> dict[str, str]:
    """sha256 by path (`kafka/kafka-clients-4.3.1.jar`) of every jar that the project uses."""
    lines = (line.split() for line in _LOCK.read_text().splitlines())
    return {path: sha256 for sha256, path in lines}


def ensure_jars(cache: Path, java_home: Path, say: Callable[[str], None] = print) -> Path:
    """The folder with `kafka/` and `spark/`, complete and verified; fetched when it is not there.

    Raises StackError when the registry can't be reached or a file has another content than pinned.
    """
    lock_id = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    folder = cache / f"jars-{lock_id}"
    if not folder.exists():
        say(f"Fetching {len(pinned())} jars for Apache Kafka and Spark (45 MB).")
        partial = cache / f"jars-{lock_id}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        _resolve(partial, cache / "ivy", java_home)
        _verify(partial)
        partial.rename(folder)
    return folder


def _resolve(folder: Path, ivy_cache: Path, java_home: Path) -> None:
    ivy = next((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar"))
    pattern = f"{folder}/[conf]/[artifact]-[revision](-[classifier]).[ext]"
    java = str(java_home / "bin" / "java")
    command = [java, "-jar", str(ivy), "-ivy", str(_INFRA / "jars.ivy.xml")]
    options = ["-types", "jar", "bundle", "-cache", str(ivy_cache), "-retrieve", pattern]
    try:
        done = subprocess.run(
            [*command, *options], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(_unreachable(f"no answer for {_TIMEOUT_S} s")) from error
    if done.returncode != 0:
        problems = [line.strip() for line in done.stdout.splitlines() if "::" in line]
        raise StackError(_unreachable(next(iter(problems[1:]), "Ivy failed")))


def _unreachable(reason: str) -> str:
    return (
        f"The jars of Apache Kafka could not be fetched from the Maven registry ({reason}): check "
        "the network, or set CACHE_DIR to a folder that already holds them."
    )


def _verify(folder: Path) -> None:
    wanted = pinned()
    found = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*.jar")
    }
    wrong = sorted(path for path in wanted | found if wanted.get(path) != found.get(path))
    if wrong:
        raise StackError(
            f"{len(wrong)} jars are not the pinned ones, first {wrong[0]}: what the Maven registry "
            "served was changed on the way. Nothing was installed."
        )
