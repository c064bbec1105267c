"""What the checks of the composed stack share; `python -m tests.compose` runs them."""

import os

import pytest

from tests.compose import PORTS, Composed
from tests.stack.conftest import URLS, Addresses


@pytest.fixture(scope="session")
def composed() -> Composed:
    """The running project that `python -m tests.compose` has started."""
    names = ("COMPOSE_PROJECT_NAME", *PORTS)
    return Composed({name: os.environ[name] for name in names})


@pytest.fixture(scope="session")
def addresses() -> Addresses:
    """Where it answers."""
    return Addresses(*(os.environ[name] for name in URLS))
