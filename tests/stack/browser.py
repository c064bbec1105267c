"""The system's Chromium for tests of pages, with what a page complained about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import Page, Response, sync_playwright

CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None,
    reason="THE PAGES ARE NOT TESTED: no Chromium was found in PATH; install the package chromium.",
)

TIMEOUT_MS = 30_000


@contextmanager
def browsing(
    url: str, width: int = 1280, scheme: Literal["dark", "light"] = "light"
) -> Iterator[Page]:
    """A page over `url`; afterwards it must have had no error and asked no other host."""
    complaints: list[str] = []

    def note(answer: Response) -> None:
        if not answer.url.startswith((url, "data:")):
            complaints.append(f"asked {answer.url}")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(
            base_url=url, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", note)
        yield page
        browser.close()
    assert complaints == []
