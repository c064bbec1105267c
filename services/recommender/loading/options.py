"""The options by which a command is given an order file, for all commands that read one."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from services.recommender.loading.columns import FIELDS, columns_of, parse_mapping
from services.recommender.loading.ledger import Source
from services.recommender.loading.sources import open_table, sha256_of


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Add `--orders` and what describes such a file."""
    parser.add_argument("--orders", type=Path, metavar="FILE", help="a CSV, Parquet or XLSX file")
    parser.add_argument(
        "--mapping",
        default="",
        metavar="FIELD=COLUMN,...",
        help=f"columns of the file, for {', '.join(FIELDS)}",
    )
    parser.add_argument("--encoding", default="utf-8-sig", help="of a CSV file; default UTF-8")
    parser.add_argument(
        "--time-format", help="of times in text, as in %%d/%%m/%%Y %%H:%%M; default ISO 8601"
    )


def parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; ends with a sentence when a file is described but none is named."""
    options = parser.parse_args(arguments)
    if not options.orders and (options.mapping or options.time_format):
        parser.error("--mapping and --time-format describe a file; name it with --orders FILE.")
    return options


def own_source(options: argparse.Namespace) -> Source | None:
    """The file that the options name, None without one.

    Raises SourceError or MappingError, each a sentence, when it can't be read as described.
    """
    if not options.orders:
        return None
    mapping = parse_mapping(options.mapping)
    columns_of(open_table(options.orders, options.encoding).header, mapping)
    return Source(
        name=options.orders.name,
        path=options.orders,
        sha256=sha256_of(options.orders),
        mapping=mapping,
        encoding=options.encoding,
        time_format=options.time_format,
    )
