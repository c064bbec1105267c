"""Brings the pages up to date with the code and the results: `python -m infra.pages`."""

import re
from pathlib import Path

from services.common.figures import all_figures, requote
from services.common.settings import Settings

_TABLE = re.compile(r"<!-- settings -->\n.*?<!-- /settings -->", re.DOTALL)


def settings_table() -> str:
    """The settings as a Markdown table, between the comments that mark its place."""
    rows = [
        f"| `{name.upper()}` | {_shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = ["<!-- settings -->", "| Variable | Default | What it is |", "|---|---|---|"]
    return "\n".join([*head, *rows, "<!-- /settings -->"])


def _shown(default: object) -> str:
    return f"`{default}`" if default not in (None, "") else ""


def main() -> None:
    figures = all_figures()
    for page in [Path("README.md"), *Path("services").glob("*/README.md")]:
        text = _TABLE.sub(lambda _: settings_table(), page.read_text())
        page.write_text(requote(text, figures))


if __name__ == "__main__":
    main()
