"""Draws the diagrams of the design pages: `python -m infra.diagrams`, needs npm and a Chromium.

A Mermaid block is shown as the SVG file that carries the hash of the block's text, so a drawing
can't be out of date: a changed block has no file until this has run.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from infra.portal.design import diagram_file

MERMAID = "mermaid@11"
BLOCK = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
_DRAW = """
async source => {
    mermaid.initialize({startOnLoad: false, theme: "neutral", fontFamily: "system-ui, sans-serif"});
    return (await mermaid.render("diagram", source)).svg;
}
"""


def diagrams(page: Path) -> dict[Path, str]:
    """The Mermaid blocks of a design page by the file of their drawing."""
    blocks = BLOCK.findall(page.read_text())
    return {diagram_file(source, page.parent / "web"): source for source in blocks}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.add_script_tag(path=_mermaid(Path(folder)))
        for design in Path("services").glob("*/README.md"):
            _draw_all(page, design)
        browser.close()


def _mermaid(folder: Path) -> Path:
    packed = subprocess.run(
        ["npm", "pack", "--silent", MERMAID], cwd=folder, capture_output=True, text=True, check=True
    )
    subprocess.run(["tar", "-xzf", packed.stdout.split()[-1]], cwd=folder, check=True)
    return folder / "package" / "dist" / "mermaid.min.js"


def _draw_all(page: Page, design: Path) -> None:
    wanted = diagrams(design)
    for old in set((design.parent / "web").glob("diagram-*.svg")) - set(wanted):
        old.unlink()
    for file, source in wanted.items():
        file.write_text(page.evaluate(_DRAW, source))


if __name__ == "__main__":
    main()
