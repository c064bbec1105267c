import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from asgi_correlation_id import correlation_id

from services.common import log


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the logs go; the process's own logging comes back afterwards."""
    root = logging.getLogger()
    before = root.handlers, root.level
    yield io.StringIO()
    root.handlers, root.level = before
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_service_level_time_and_facts(stream: io.StringIO) -> None:
    log.configure("INFO", "recommender", stream)

    log.get_logger().info("database ready", waited_s=2)

    (line,) = lines(stream)
    assert line["event"] == "database ready"
    assert line["waited_s"] == 2
    assert line["service"] == "recommender"
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_a_line_names_the_request_it_was_written_in(stream: io.StringIO) -> None:
    log.configure("INFO", "recommender", stream)

    token = correlation_id.set("abc")
    log.get_logger().info("inside")
    correlation_id.reset(token)
    log.get_logger().info("outside")

    assert [line.get("request_id") for line in lines(stream)] == ["abc", None]


def test_lines_of_libraries_have_the_same_form(stream: io.StringIO) -> None:
    log.configure("INFO", "recommender", stream)

    logging.getLogger("psycopg.pool").warning("error connecting: %s", "refused")

    (line,) = lines(stream)
    assert line["event"] == "error connecting: refused"
    assert line["logger"] == "psycopg.pool"
    assert line["service"] == "recommender"


def test_a_traceback_is_one_field_of_one_line(stream: io.StringIO) -> None:
    log.configure("INFO", "recommender", stream)

    try:
        int("broken")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")

    (line,) = lines(stream)
    assert "ValueError: invalid literal" in str(line["exception"])


def test_less_severe_lines_are_left_out(stream: io.StringIO) -> None:
    log.configure("warning", "recommender", stream)

    log.get_logger().info("not this")
    logging.getLogger("uvicorn").info("nor this")
    log.get_logger().warning("but this")

    assert [line["event"] for line in lines(stream)] == ["but this"]


def test_an_unknown_level_is_refused_with_the_levels_there_are() -> None:
    with pytest.raises(log.LogLevelError, match=r"LOG_LEVEL is 'LOUD'.*DEBUG, INFO"):
        log.configure("LOUD", "recommender")
