"""The set-up refuses what can't work with one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra import setup

UV = "uv==0.13 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
LOCK = f"anyio==1 \\\n    --hash=sha256:aa\n{UV}yarl==1\n"


def test_only_the_lines_of_uv_are_taken_from_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("requirements.lock").write_text(LOCK)

    lines = Path(setup.lock_of_uv()).read_text()

    assert lines == UV


def test_an_old_python_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "OLDEST", (9, 0))

    with pytest.raises(SystemExit, match=r"Python \S+ is too old"):
        setup.main()


def test_a_full_disk_is_said_before_anything_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "FREE_BYTES", 10**18)

    with pytest.raises(SystemExit, match="GB left and the packages need"):
        setup.check_disk()


def test_a_failed_installation_ends_with_the_settings_to_change() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no route to registry')"]

    with pytest.raises(SystemExit, match="UV_DEFAULT_INDEX to a mirror"):
        setup.run(command, {})


def test_an_environment_of_another_python_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert setup.version_in_venv() == ""


def test_the_set_up_parses_in_a_python_that_it_refuses() -> None:
    code = "import ast, sys; ast.parse(sys.stdin.read(), feature_version=(3, 7))"
    source = Path(setup.__file__).read_bytes()

    parsed = subprocess.run([sys.executable, "-c", code], input=source, check=False)

    assert parsed.returncode == 0
