"""The demo article: the page that carries the tracker, in two versions, with overlay if asked."""

from typing import Literal

from fastapi.responses import HTMLResponse

from services.common.pages import Pages

Variant = Literal["a", "b"]

OVERLAY = '<script src="/overlay.js" data-site="demo" defer></script>'


def article(pages: Pages, variant: Variant = "a", *, with_overlay: bool = False) -> HTMLResponse:
    """The article; version b has a notice inserted above, and carries its name as page version."""
    is_b = variant == "b"
    return pages.page(
        "article.html",
        version="b" if is_b else "",
        letter=variant.upper(),
        news=(pages.folder / "article-news.html").read_text() if is_b else "",
        overlay=OVERLAY if with_overlay else "",
    )
