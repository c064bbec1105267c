"""The design pages: a service's README.md as HTML, with its diagrams drawn and its links alive."""

import hashlib
import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SHOWN_FOLDERS = ("services", "infra", "tests", "results")
SHOWN_SUFFIXES = frozenset({".py", ".sql", ".lua", ".md", ".js", ".css", ".html", ".json"})

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NOT_SLUG = re.compile(r"[^\w\- ]")


def design_file(name: str) -> Path:
    return ROOT / "services" / name / "README.md"


def diagram_file(source: str, folder: Path) -> Path:
    """Where the drawing of a Mermaid block lies: the name changes with the block's text."""
    return folder / f"diagram-{hashlib.sha256(source.strip().encode()).hexdigest()[:12]}.svg"


def source_file(path: str) -> Path | None:
    """The file of this repository that may be read at /source/`path`; None for all others."""
    file = (ROOT / path).resolve()
    return file if _inside(file) and file.suffix in SHOWN_SUFFIXES and file.is_file() else None


def source_folder(path: str) -> list[str] | None:
    """The addresses of the files in a folder that may be read; None for all other folders."""
    folder = (ROOT / path).resolve()
    if not _inside(folder) or not folder.is_dir():
        return None
    files = (file for file in folder.iterdir() if file.suffix in SHOWN_SUFFIXES)
    return sorted(f"/source/{file.relative_to(ROOT)}" for file in files)


def _inside(file: Path) -> bool:
    return any(file.is_relative_to(ROOT / folder) for folder in SHOWN_FOLDERS)


def rendered(name: str) -> str:
    """The design of service `name` as HTML; FileNotFoundError when it has none.

    HTML in the Markdown is shown as text, comments are left out.
    """
    page = design_file(name)
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("fence", _fence(page))
    tokens = markdown.parse(_COMMENT.sub("", page.read_text()))
    _name_headings(tokens)
    for token in tokens:
        for link in token.children or []:
            if link.type == "link_open":
                link.attrSet("href", _alive(str(link.attrGet("href")), page))
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _fence(page: Path) -> Any:
    def render(
        renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
    ) -> str:
        source, language = tokens[index].content, tokens[index].info.strip()
        drawing = diagram_file(source, page.parent / "web")
        if language == "mermaid" and drawing.exists():
            address = f"/design/{page.parent.name}/{drawing.name}"
            return f'<figure><img src="{address}" alt="{escape(_told(source))}"></figure>\n'
        if language == "mermaid":
            return f"<figure><pre><code>{escape(source)}</code></pre></figure>\n"
        return renderer.fence(tokens, index, options, env)

    return render


def _told(source: str) -> str:
    """A diagram in words, for those who do not see it: its labels, in their order."""
    labels = re.findall(r"[\[({|\"]+([^\[\](){}|\"]+)[\])}|\"]+", source)
    return "Diagram: " + ", ".join(dict.fromkeys(label.strip() for label in labels))


def _name_headings(tokens: Sequence[Token]) -> None:
    known: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            slug = _NOT_SLUG.sub("", inline.content.lower()).replace(" ", "-")
            known[slug] = known.get(slug, -1) + 1
            opening.attrSet("id", f"{slug}-{known[slug]}" if known[slug] else slug)


def _alive(href: str, page: Path) -> str:
    """A link to a file of the repository leads to its text here; others stay."""
    if re.match(r"[a-z]+:|#|/", href):
        return href
    path, hash_mark, anchor = href.partition("#")
    file = (page.parent / path).resolve()
    if file.name == "README.md" and file.parent.parent == ROOT / "services":
        return f"/design/{file.parent.name}{hash_mark}{anchor}"
    return f"/source/{file.relative_to(ROOT)}" if file.is_relative_to(ROOT) else href
