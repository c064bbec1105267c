import subprocess
import sys

import pytest


@pytest.mark.parametrize("host", ["http://example.org", "http://10.0.0.1:8001", "http://0.0.0.0"])
def test_load_is_refused_for_every_host_but_this_machine(host: str) -> None:
    """In a process of its own: Locust patches the sockets of the one that imports it."""
    code = f"from tests.load.recommender import require_loopback; require_loopback('{host}')"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "but load is put on 127.0.0.1 or ::1 only" in done.stderr
