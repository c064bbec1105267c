"""Figures that the project states: written by the command that measured them, quoted by pages.

A page quotes a figure as `0.38<!-- recommender.hr_at_5 -->`: the comment does not show, the number
is compared with `results/recommender.json` at the precision it is written with.
"""

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path("results")
QUOTE = re.compile(
    r"(?P<value>-?[\d,]+(?:\.\d+)?)(?P<between>[^\d<\n]{0,12})<!-- (?P<name>[\w.]+) -->"
)


@dataclass(frozen=True)
class Figure:
    """One measured number; `spread` is in the same unit, in words or as `min..max`."""

    name: str
    value: float
    unit: str
    command: str
    spread: str | None = None
    commit: str = ""
    machine: str = ""
    measured_at: str = ""


def record(results: Path, *figures: Figure) -> None:
    """Write figures into `<service>.json` in `results`; the service is the name's first word.

    A figure of the same name is replaced, the others stay; the file is sorted by name.
    """
    for service in sorted({f.name.split(".")[0] for f in figures}):
        file = results / f"{service}.json"
        known = {f.name: f for f in read(file)}
        known |= {f.name: _stamped(f) for f in figures if f.name.startswith(f"{service}.")}
        rows = [asdict(known[name]) for name in sorted(known)]
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(rows, indent=1) + "\n")
        temporary.replace(file)


def read(file: Path) -> list[Figure]:
    """The figures of one results file; none when there is no file yet."""
    return [Figure(**row) for row in json.loads(file.read_text())] if file.exists() else []


def all_figures(results: Path = RESULTS) -> dict[str, Figure]:
    """Every figure of every results file by its name."""
    return {f.name: f for file in sorted(results.glob("*.json")) for f in read(file)}


def wrong_quotes(page: str, figures: dict[str, Figure]) -> Iterator[str]:
    """A sentence for each quote of `page` that differs from the figure or names none."""
    for quote in QUOTE.finditer(page):
        name, shown = quote["name"], quote["value"]
        if name not in figures:
            yield f"{name} is quoted as {shown}, but no results file has it."
        elif shown != _shown(figures[name].value, shown):
            yield f"{name} is quoted as {shown}, but was measured as {figures[name].value}."


def requote(page: str, figures: dict[str, Figure]) -> str:
    """`page` with every quote set to the measured value, at the precision it is quoted with."""

    def measured(quote: re.Match[str]) -> str:
        if quote["name"] not in figures:
            return quote[0]
        value = _shown(figures[quote["name"]].value, quote["value"])
        return f"{value}{quote['between']}<!-- {quote['name']} -->"

    return QUOTE.sub(measured, page)


def _shown(value: float, like: str) -> str:
    decimals = len(like.partition(".")[2])
    return f"{value:,.{decimals}f}"


def _stamped(figure: Figure) -> Figure:
    row = asdict(figure)
    row |= {"commit": _commit(), "machine": _machine()}
    return Figure(**row | {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")})


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "not a checkout"


def _machine() -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = os.cpu_count()
    return f"{cores} cores, {memory_gb:.0f} GiB, {platform.system()} {platform.machine()}"
