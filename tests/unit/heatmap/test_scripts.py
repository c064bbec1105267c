import gzip
from pathlib import Path

import pytest
from starlette.requests import Request

from services.heatmap.scripts import Scripts, compressed, minified

TRACKER = Path("services/heatmap/web/tracker.js")


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    (tmp_path / "a.js").write_text("// what it does\nlet answer = 6 * 7;\n")
    return Scripts(tmp_path)


def test_the_tracker_is_at_most_3072_bytes_as_browsers_load_it() -> None:
    assert len(gzip.compress(minified(TRACKER.read_text()), 9)) <= 3072


def test_comments_and_needless_spaces_are_not_served(scripts: Scripts) -> None:
    assert scripts.answer("a.js", request()).body == b"let answer=6*7;"


def test_a_browser_that_can_gets_it_compressed(scripts: Scripts) -> None:
    answer = scripts.answer("a.js", request(accept_encoding="br, gzip"))

    assert gzip.decompress(bytes(answer.body)) == b"let answer=6*7;"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_browser_that_has_it_gets_nothing(scripts: Scripts) -> None:
    etag = scripts.answer("a.js", request()).headers["ETag"]

    again = scripts.answer("a.js", request(if_none_match=etag))

    assert (again.status_code, again.body) == (304, b"")


def test_a_changed_script_is_another(scripts: Scripts, tmp_path: Path) -> None:
    before = scripts.answer("a.js", request())
    (tmp_path / "a.js").write_text("let answer = 43;")

    after = scripts.answer("a.js", request(if_none_match=before.headers["ETag"]))

    assert (after.status_code, after.body) == (200, b"let answer=43;")


def test_pages_of_every_site_may_load_it(scripts: Scripts) -> None:
    answer = scripts.answer("a.js", request())

    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_the_same_script_is_the_same_bytes_compressed() -> None:
    assert compressed(b"let a;") == compressed(b"let a;")
