"""The walls of the house: who may import whom, and what a domain file may not do."""

import ast
from collections.abc import Iterator
from pathlib import Path

SERVICES = Path("services")
SHARED = "common"


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports by a relative path."
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def strangers(file: Path, house: str) -> list[str]:
    """The imports of a file of the service `house` that lead into another service."""
    rooms = (name.split(".")[1] for name in imports(file) if name.startswith("services."))
    return [room for room in rooms if room not in {house, SHARED}]


def test_services_do_not_import_each_other() -> None:
    files = list(SERVICES.rglob("*.py"))
    found = {str(file): strangers(file, file.parts[1]) for file in files}

    assert files
    assert not {file: rooms for file, rooms in found.items() if rooms}


def test_a_service_that_imports_another_is_found(tmp_path: Path) -> None:
    file = tmp_path / "spy.py"
    file.write_text("import services.heatmap.grid\nfrom services.video_events import store\n")

    assert strangers(file, "recommender") == ["heatmap", "video_events"]


def test_services_do_not_import_the_infrastructure() -> None:
    found = [file for file in SERVICES.rglob("*.py") for name in imports(file) if "infra." in name]

    assert not found
