import subprocess
import sys

# In a process of its own, because Locust patches the sockets of the one that imports it.
TRY_ALL = """
from tests.load.here import RemoteHostError, require_loopback

for host in ("http://127.0.0.1:8001", "http://[::1]:8001", "http://localhost:8001"):
    require_loopback(host)
for host in ("http://example.org", "http://10.0.0.1:8001", "http://0.0.0.0", ""):
    try:
        require_loopback(host)
    except RemoteHostError as error:
        print(error)
"""


def test_load_is_refused_for_every_host_but_this_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRY_ALL], capture_output=True, text=True, check=True
    )

    refused = ["example.org", "10.0.0.1", "0.0.0.0", ""]
    assert done.stdout.splitlines() == [
        f"The host is '{host}', but load is put on 127.0.0.1 or ::1 only." for host in refused
    ]
