"""Starting, starting twice, and being killed: what a person at a terminal meets."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.stack.sessions import Ledger
from tests.demo import DEMO, Demo, own_settings
from tests.waiting import still_running, until

DEADLINE_S = 120
RUN_KAFKA = (sys.executable, "-m", "infra.stack", "run", "--")


def said(settings: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command, env=settings, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_second_demo_beside_a_running_one_says_so(stack: Demo) -> None:
    assert "It is running already" in said(stack.settings, *DEMO)


def test_clean_beside_a_running_demo_says_so(stack: Demo) -> None:
    assert "It is running already" in said(
        stack.settings, sys.executable, "-m", "infra.stack", "clean"
    )


def test_clean_takes_only_what_a_stack_wrote(tmp_path: Path) -> None:
    settings = own_settings(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "letter.txt").write_text("mine")

    subprocess.run((sys.executable, "-m", "infra.stack", "clean"), env=settings, check=True)

    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_a_taken_port_is_one_sentence_with_the_setting_to_change(tmp_path: Path) -> None:
    settings = own_settings(tmp_path / "var")
    with socket.create_server(("127.0.0.1", int(settings["VALKEY_PORT"]))):
        sentence = said(settings, *DEMO)

    assert f"Port {settings['VALKEY_PORT']}" in sentence
    assert "set VALKEY_PORT to a free port" in sentence


def test_a_system_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    sentence = said(own_settings(tmp_path / "var"), *DEMO, "--only", "shop")

    assert sentence == "ONLY names the system 'shop'; there is recommender, heatmap.\n"


def test_after_kill_9_of_the_supervisor_the_next_start_ends_what_was_left(tmp_path: Path) -> None:
    settings = own_settings(tmp_path / "var")
    sessions = tmp_path / "var" / "sessions.json"
    wait = (*RUN_KAFKA, sys.executable, "-c", "print('up', flush=True); input()")
    with subprocess.Popen(
        wait, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"up\n"
        left = Ledger(sessions).processes()
        supervisor.kill()
    assert still_running(left) == left

    again = subprocess.run([*RUN_KAFKA, "true"], env=settings, timeout=DEADLINE_S, check=False)

    assert again.returncode == 0
    assert left
    assert not still_running(left)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_the_start_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    settings = own_settings(tmp_path / "var")
    sessions = tmp_path / "var" / "sessions.json"
    with subprocess.Popen(DEMO, env=settings, stdout=subprocess.DEVNULL) as demo:
        until(lambda: sessions.exists() and Ledger(sessions).processes(), DEADLINE_S)
        started = Ledger(sessions).processes()
        os.kill(demo.pid, number)
        demo.wait(DEADLINE_S)

    assert started
    assert not still_running(started)
