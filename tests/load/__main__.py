"""`make load`: Locust users on a demo that runs on this machine, for a bounded time."""

import argparse
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from infra.systems import SYSTEMS
from services.common.settings import load_settings

MOST_USERS = 1000
MOST_SECONDS = 600


def main() -> None:
    arguments = parse()
    settings = load_settings()
    system = SYSTEMS[arguments.service]
    host = f"http://127.0.0.1:{system.server.port(settings)}"
    require_running(host, system.server.port_setting)
    users = ["--users", str(arguments.users), "--spawn-rate", str(arguments.users)]
    time = ["--run-time", f"{arguments.seconds}s", "--stop-timeout", "5"]
    file = Path(__file__).parent / f"{system.name}.py"
    locust = [sys.executable, "-m", "locust", "--headless", "--only-summary", "-f", str(file)]
    done = subprocess.run([*locust, *users, *time, "--host", host], check=False)
    sys.exit(done.returncode)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("service", choices=sorted(SYSTEMS))
    parser.add_argument("--users", type=int, choices=range(1, MOST_USERS + 1), metavar="1..1000")
    parser.add_argument("--seconds", type=int, choices=range(1, MOST_SECONDS + 1), metavar="1..600")
    return parser.parse_args()


def require_running(host: str, port_setting: str) -> None:
    """End with a sentence when nobody answers there."""
    try:
        urlopen(f"{host}/livez", timeout=5).close()
    except URLError as error:
        sys.exit(
            f"Nothing answers at {host} ({error.reason}): start it with make demo, or set "
            f"{port_setting} to the port of the one that runs."
        )


if __name__ == "__main__":
    main()
