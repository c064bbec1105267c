"""`make bench SERVICE=heatmap`: every figure of the heat map, one part after the other.

PARTS="fold truth" measures only those; each part writes its figures when it is done.
"""

import importlib
import sys

from services.common import log
from services.common.figures import record
from services.common.settings import load_settings

PARTS = ("tracker", "fold", "collect", "latency", "cost", "position", "paint", "truth")


def main() -> None:
    parts = sys.argv[1:] or PARTS
    for part in parts:
        if part not in PARTS:
            sys.exit(f"PARTS names '{part}'; there is {', '.join(PARTS)}.")
    log.configure("ERROR", "bench")
    for part in parts:
        print(f"{part}:", flush=True)
        figures = importlib.import_module(f"tests.bench.heatmap.{part}").measure()
        for figure in figures:
            print(f"  {figure.name:<38} {figure.value:>12} {figure.unit:<6} {figure.spread or ''}")
        record(load_settings().results_dir, *figures)


if __name__ == "__main__":
    main()
