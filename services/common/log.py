"""Structured logs: one JSON object a line, with the id of the request it belongs to."""

import logging
import sys
from typing import TextIO

import structlog
from asgi_correlation_id import correlation_id
from structlog.types import EventDict, Processor, WrappedLogger

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class LogLevelError(ValueError):
    """The setting names a level that does not exist."""


def configure(level: str, service: str, stream: TextIO = sys.stdout) -> None:
    """Write this process's logs, the libraries' too, to `stream` as JSON lines.

    Every line has `service`, `level`, `event`, `timestamp` (UTC) and, while a request is served,
    `request_id`.
    """
    if level.upper() not in LEVELS:
        raise LogLevelError(f"LOG_LEVEL is '{level}', but must be one of {', '.join(LEVELS)}.")
    number = logging.getLevelNamesMapping()[level.upper()]
    shared = _processors(service)
    render = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _libraries(number, shared, render, stream)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """A logger; name what happened in the event and put the facts into keywords."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def _libraries(number: int, shared: list[Processor], render: Processor, stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)


def _processors(service: str) -> list[Processor]:
    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**event, "service": service}

    return [
        name_service,
        _name_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _name_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    request_id = correlation_id.get()
    return {**event, "request_id": request_id} if request_id else event
